// The purge clients that vendors publish on npm, called by name: node npm_clients.mjs ADMIN SITE TOKEN, then a line of
// JSON in for each call, [name, arguments], and a line of JSON out, {value} or {error, status}.
import { readFile } from 'node:fs/promises'
import readline from 'node:readline'
import {
  CloudFrontClient, CreateInvalidationCommand, GetInvalidationCommand, ListInvalidationsCommand,
} from '@aws-sdk/client-cloudfront'
import { NetlifyAPI } from '@netlify/api'
import { purgeCache } from '@netlify/functions'
import * as functions from '@vercel/functions'
import { Vercel } from '@vercel/sdk'
import EdgeGrid from 'akamai-edgegrid'
import Cloudflare from 'cloudflare'
import Fastly from 'fastly'
import FastlyPurge from 'fastly-purge'

const [ADMIN, SITE, TOKEN] = process.argv.slice(2)
const { host } = new URL(ADMIN)

// How each is told where the API is: as its documentation says, or as README.md does where it says nothing.
Fastly.ApiClient.instance.authenticate(TOKEN)
Fastly.ApiClient.instance.plugins = [(request) => {
  request.url = request.url.replace('https://api.fastly.com', ADMIN)
}]
const fastly = new Fastly.PurgeApi()
const once = { baseURL: `${ADMIN}/client/v4`, maxRetries: 0 }
const cloudflare = new Cloudflare({ apiToken: TOKEN, ...once })
const byKey = new Cloudflare({ apiToken: null, apiKey: TOKEN, apiEmail: 'someone@example.com', ...once })
const netlify = new NetlifyAPI(TOKEN, { scheme: 'http', host })
const vercel = new Vercel({ bearerToken: TOKEN, serverURL: ADMIN })
const credentials = { accessKeyId: TOKEN, secretAccessKey: 'any' }
const cloudfront = new CloudFrontClient({ endpoint: ADMIN, region: 'us-east-1', credentials, maxAttempts: 1 })

const project = { projectIdOrName: 'any' }

// What only Vercel's own runtime gives to functions, as README.md says to give it.
const readme = await readFile(new URL('../../../README.md', import.meta.url), 'utf8')
const [, snippet] = readme.match(/```js\n(const call[\s\S]*?)```/)
process.env.SWERVE_ADMIN_TOKEN = TOKEN
new Function(snippet.replace('http://127.0.0.1:8081', ADMIN))()

const sent = (edgegrid) => new Promise((resolve, reject) => {
  edgegrid.send((error, response, body) => error ? reject(error) : resolve({ status: response.status, ...JSON.parse(body) }))
})
const akamai = ({ path, objects }) => {
  const edgegrid = new EdgeGrid('any', 'any', TOKEN, host)
  edgegrid.auth({ path, method: 'POST', headers: { 'Content-Type': 'application/json' }, body: { objects } })
  edgegrid.request.url = edgegrid.request.url.replace('https:', 'http:')
  return sent(edgegrid)
}
const purgeUrl = ({ path, ...options }) => new Promise((resolve, reject) => {
  new FastlyPurge(TOKEN).url(SITE + path, options, (error, body) => error ? reject(error) : resolve(body))
})
const told = ({ $metadata, ...rest }) => ({ status: $metadata.httpStatusCode, ...rest })

const CALLS = {
  'fastly key': (options) => fastly.purgeTag({ service_id: 'S', ...options }),
  'fastly keys': (options) => fastly.bulkPurgeTag({ service_id: 'S', ...options }),
  'fastly all': () => fastly.purgeAll({ service_id: 'S' }),
  'fastly url': (options) => fastly.purgeSingleUrl(options),
  'fastly PURGE': purgeUrl,
  'cloudflare purge': (body) => cloudflare.cache.purge({ zone_id: 'Z', ...body }),
  'cloudflare invalidate': (body) => cloudflare.cache.invalidate({ zone_id: 'Z', ...body }),
  'cloudflare environment': (body) => byKey.cache.purgeEnvironment('E', { zone_id: 'Z', ...body }),
  'netlify purge': (options) => purgeCache({ apiURL: ADMIN, token: TOKEN, siteID: 'S', ...options }),
  'netlify api': (body) => netlify.purgeCache({ body: { site_id: 'S', ...body } }),
  'vercel invalidate': (requestBody) => vercel.edgeCache.invalidateByTags({ ...project, requestBody }),
  'vercel delete': (requestBody) => vercel.edgeCache.dangerouslyDeleteByTags({ ...project, requestBody }),
  'vercel images': (requestBody) => vercel.edgeCache.dangerouslyDeleteBySrcImages({ ...project, requestBody }),
  'vercel function': ({ function: name, tag, options }) => functions[name](tag, options),
  'cloudfront create': async ({ items, reference }) => told(await cloudfront.send(new CreateInvalidationCommand({
    DistributionId: 'D',
    InvalidationBatch: { CallerReference: reference, Paths: { Quantity: items.length, Items: items } },
  }))),
  'cloudfront get': async ({ id }) => told(await cloudfront.send(new GetInvalidationCommand({ DistributionId: 'D', Id: id }))),
  'cloudfront list': async () => told(await cloudfront.send(new ListInvalidationsCommand({ DistributionId: 'D' }))),
  akamai,
}

console.log('"ready"')
for await (const line of readline.createInterface({ input: process.stdin })) {
  const [name, options] = JSON.parse(line)
  try {
    console.log(JSON.stringify({ value: await CALLS[name](options) ?? null }))
  } catch (error) {
    const cause = error.error ?? error
    const status = error.status ?? error.statusCode ?? error.response?.status ?? error.$metadata?.httpStatusCode
    const words = JSON.stringify(error.json ?? error.body ?? error.response?.data ?? '')
    console.log(JSON.stringify({ error: `${error.name ?? ''} ${error.message ?? cause.message} ${words}`, status }))
  }
}
