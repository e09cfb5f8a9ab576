/**
 * Who may import whom: the layering of the project as data. THINK before you change a row: every arrow here is one that a reader
 * must keep in mind for ever. `packages` may be imported through their index only; `outside` lists what comes from npm.
 */
export const layers = {
  kernel: { packages: [], outside: ['pino', 'prom-client', 'dot-properties'] },
  testkit: { packages: ['kernel'], outside: [] },
  protocol: { packages: ['kernel'], outside: ['@node-rs/crc32', 'snappy', 'lz4-napi'] },
  storage: { packages: ['kernel', 'protocol'], outside: ['level'] },
  controller: { packages: ['kernel', 'protocol', 'storage'], outside: [] },
  replication: { packages: ['kernel', 'protocol', 'storage', 'controller'], outside: [] },
  transport: { packages: ['kernel', 'protocol', 'controller', 'replication'], outside: ['@grpc/grpc-js', 'protobufjs'] },
  broker: {
    packages: ['kernel', 'protocol', 'storage', 'controller', 'replication', 'transport'],
    outside: ['pino'],
  },
  kavka: { packages: ['kernel', 'protocol', 'storage', 'broker'], outside: ['commander', 'pino'] },
}

/** What tests may import besides. */
export const testImports = { packages: ['testkit'], outside: ['fast-check', '@jest/globals', 'jest'] }
