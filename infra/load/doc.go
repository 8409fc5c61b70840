// Package load finds documents in files and folders: which files are documents, of what type, under which id, and what
// is to be sent of them. It holds one file at a time.
package load
