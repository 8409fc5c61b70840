// Package service reaches another Worker by a service binding: https://developers.cloudflare.com/workers/runtime-apis/bindings/service-bindings/.
package service
