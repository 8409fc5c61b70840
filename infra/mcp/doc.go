// Package mcp answers the Model Context Protocol with the official SDK, for the Worker of the same name: a tenant's tools, its documents as resources,
// and its prompts. It knows none of them: what it is asked it asks the API, on behalf of the client (package line), and only translates.
//
// Every message is answered by itself, with a server of the SDK that lives as long: there are no sessions here. The ids of sessions that clients of
// revision 2025-11-25 send are the API's business.
package mcp
