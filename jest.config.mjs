/** Tests run from source across packages: no build, no flags. `*.slow.test.ts` are the ones that start processes. */
export default {
  testMatch: ['<rootDir>/packages/*/src/**/*.test.ts', '<rootDir>/test-cluster/**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/', '/dist/'],
  modulePathIgnorePatterns: ['<rootDir>/.cache/', '/dist/'],
  transform: {
    '^.+\\.ts$': ['@swc/jest', { jsc: { target: 'es2023', parser: { syntax: 'typescript' } }, module: { type: 'commonjs' } }],
  },
  testEnvironmentOptions: { customExportConditions: ['@kavka/source', 'node', 'node-addons', 'require', 'default'] },
}
