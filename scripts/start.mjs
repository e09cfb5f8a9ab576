// `npm start`: installs and builds what is missing, then runs the three nodes of deploy/local until Ctrl-C.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { build, ensureInstalled, node, root } from './toolchain.mjs'

ensureInstalled()
build()
const cluster = spawn(node, [join(root, 'packages/kavka/bin/kavka.mjs'), 'cluster', 'deploy/local'], { cwd: root, stdio: 'inherit' })
// Ctrl-C reaches the whole process group: the cluster stops by itself, this process waits for it.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => { if (signal !== 'SIGINT') cluster.kill(signal) })
cluster.on('exit', (code) => { process.exitCode = code ?? 1 })
