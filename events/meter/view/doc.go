// Package view makes of counts and accounts what people are shown of them: an overview, objectives and how they are kept, cost, the cache of searches, tools, and what is
// unusual. All of it is arithmetic: nothing is read here, and equal counts are equal views.
package view
