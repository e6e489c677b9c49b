/** The suite's own origin server, on loopback only and on a port the system chooses; it prints where it listens. */
import net from 'node:net'

process.env.npm_config_protocol = 'http'
process.env.npm_config_port = '0'
process.env.npm_config_pidfile = '/dev/null'

const listen = net.Server.prototype.listen
net.Server.prototype.listen = function () { return listen.call(this, 0, '127.0.0.1') }

await import('http-cache-tests/server/server.mjs')
