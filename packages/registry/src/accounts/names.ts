const userName = /^[A-Za-z0-9][A-Za-z0-9._@+-]{0,127}$/
const groupName = /^[A-Za-z0-9][A-Za-z0-9._@+/-]{0,127}$/

/** Safe in headers, logs and files; without `:`, which ends a name in Basic and begins the subject of a workload. */
export const isUserName = (name: unknown): name is string =>
  typeof name === 'string' && userName.test(name) && name.toLowerCase() !== 'anonymous'

export const isGroupName = (name: unknown): name is string => typeof name === 'string' && groupName.test(name)
