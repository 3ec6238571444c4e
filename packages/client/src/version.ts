/** Of the package: what a test compares with its `package.json`, which a browser cannot read. */
export const version = '0.1.0'

export const defaultUserAgent = `stowage-client/${version}`
