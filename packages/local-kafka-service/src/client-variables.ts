// The environment variables of client commands. They are not options of a server, so the server does not warn about them.

/** `LKS_CLIENT_SECURITY_PROTOCOL` is the connection setting `security.protocol`. */
export const clientVariablePrefix = 'LKS_CLIENT_'

/** Variables that client commands read or `lks exec` passes to its child. */
export function isClientVariable(name: string): boolean {
  return (
    name.startsWith(clientVariablePrefix) ||
    ['LKS_BOOTSTRAP_SERVERS', 'LKS_URL', 'LKS_DATA_URL', 'LKS_PROFILE', 'LKS_PROFILES'].includes(name)
  )
}
