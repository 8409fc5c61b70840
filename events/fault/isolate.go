package fault

// Isolate does n things in one call and finds out which of them cannot be done. A call that fails for good is split
// in halves until each culprit stands alone; one that may succeed later fails all that were in it, at once. do gets
// the half-open range of the things it is to do.
func Isolate(n int, do func(from, to int) error) []error {
	errs := make([]error, n)
	isolate(errs, 0, do)
	return errs
}

func isolate(errs []error, from int, do func(from, to int) error) {
	n := len(errs)
	if n == 0 {
		return
	}
	err := do(from, from+n)
	if err == nil {
		return
	}
	if n == 1 || Retryable(err) {
		for i := range errs {
			errs[i] = err
		}
		return
	}
	isolate(errs[:n/2], from, do)
	isolate(errs[n/2:], from+n/2, do)
}
