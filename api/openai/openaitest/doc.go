// Package openaitest holds answers against OpenAI's schemas: those of this folder, and those of OpenAI's own OpenAPI
// document where somebody has put it beside the checkout.
package openaitest
