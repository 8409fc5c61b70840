// Package imports starts the flow of an import that was opened, and tells it when all of the import is final.
package imports
