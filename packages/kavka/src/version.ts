/** Version of this release, as `kavka --version` and the logs print it. */
export const KAVKA_VERSION = '0.1.0'
