// Package target says where each pool of tenants goes: it reads tenants/deploy.json together with the tenants' configurations, checks
// them before anything is asked of an account, and gives the targets of an environment. What a deployment needs beside the code is here,
// too: the hashes of the tenants' API keys (tenants/<id>/keys.json) and the secrets of a pool, by reference.
//
// No file that is read here holds a secret. What looks like one is refused, and not shown.
package target
