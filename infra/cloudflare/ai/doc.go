// Package ai is the binding of Workers AI, with the options of AI Gateway.
//
// Every call asks for the raw response, so the status, four headers (cf-aig-log-id is
// the gateway's log entry, cf-aig-cache-status whether it had the answer, cf-ai-req-id the request) and the body arrive as they are,
// streaming ones included; the binding's aiGatewayLogId field belongs to whichever call
// was last and is not offered.
package ai
