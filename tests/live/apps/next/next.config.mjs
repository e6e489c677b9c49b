/** The app's folder is the whole project: Next must not look for a workspace above it. */
const here = import.meta.dirname

export default { turbopack: { root: here }, outputFileTracingRoot: here }
