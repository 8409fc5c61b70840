// Package bench measures the platform side by side: the same work on several machines in one run, printed as ratios,
// because absolute figures depend on the box and its mood. Nothing here passes or fails by time.
package bench
