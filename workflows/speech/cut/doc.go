// Package cut cuts a text into parts that a model speaks at once. It is apart from package speech because the objects that keep jobs need none of it.
package cut
