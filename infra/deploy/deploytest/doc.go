// Package deploytest is a world to deploy into: accounts in the double of the API, what answers at the addresses of what is deployed there,
// and a checkout whose tenants go to these accounts. Commands are run in it in this process or in another.
//
//	w := deploytest.New(t, deploytest.Pools(2)...)
//	w.Serve(t) // LEVADA_API_URL and LEVADA_SITE_URL lead to the world
//	code, out, errs := w.Run(cli.Execute, "deploy", "--all", "--env", "prod", "--yes")
package deploytest
