package consumers

// Fail gives err to every one of n.
func Fail(n int, err error) []error {
	errs := make([]error, n)
	for i := range errs {
		errs[i] = err
	}
	return errs
}

// FailAt gives err to those of errs that are at the given places.
func FailAt(errs []error, places []int, err error) {
	for _, i := range places {
		errs[i] = err
	}
}
