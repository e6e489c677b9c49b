/** The app's folder is the whole project: Next must not look for a workspace above it. */
const here = import.meta.dirname

/** `next start` sends no tags of pages, so those that the CDN is to know are said here. */
async function headers () {
  return [{ source: '/news', headers: [{ key: 'Vercel-Cache-Tag', value: 'news' }] }]
}

export default { turbopack: { root: here }, outputFileTracingRoot: here, headers }
