/** Keys of a megabyte are the sender's business; a message shows their start. */
const longestKey = 100

/** The path of a member: `config.size`, `annotations["org.example.a"]`. */
export const memberPath = (path: string, key: string): string => {
  if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(key) && key.length <= longestKey) return path === '' ? key : `${path}.${key}`
  const name = key.length <= longestKey ? JSON.stringify(key) : `${JSON.stringify(key.slice(0, longestKey))}…`
  return `${path}[${name}]`
}

/** The path of an item: `layers[3]`. */
export const itemPath = (path: string, index: number): string => `${path}[${index}]`
