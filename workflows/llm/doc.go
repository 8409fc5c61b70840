// Package llm is the ports to the models, all of which are reached through the AI Gateway.
package llm
