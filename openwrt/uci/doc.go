// Package uci reads the configuration files of OpenWrt (UCI) as libuci reads them, pending changes included. It knows
// nothing of what the options mean and hands every value out as a string.
//
// A file is a row of statements, one a line:
//
//	package <name>           accepted and ignored
//	config <type> [<name>]   opens a section; without a name it is anonymous
//	option <name> [<value>]  sets one value; the last one wins
//	list <name> [<value>]    adds a value
//
// The keywords may be cut to their first letter. Text between ' and ' is literal, newlines included. Between " and "
// and in unquoted text a backslash makes the next byte literal, and before a line end it joins two lines. Unquoted text
// ends at white space or at #, which starts a comment. Pieces that touch form one word, so that this is it's:
//
//	'it'\''s'
//
// # Recovery
//
// libuci refuses a whole file for one bad line. This package reports every bad line with file and line number, marks
// the section it stands in as [Section.Bad], and reads on: skip the bad sections and serve the rest.
//
//   - A bad config line opens a bad section of its own, so the options that follow it change no other section.
//   - A bad line before the first section spoils nothing but itself.
//   - A statement that breaks off inside a quote, or whose arguments make no sense and whose quoted text runs over
//     a line end, most likely lacks a closing quote. It is given up at the line where that quote opened, and reading
//     resumes at the line after it.
//   - A bad line among the pending changes is dropped alone, as libuci does.
//
// No input makes the package panic, and time and memory grow linearly with the input, which is at most [MaxSize].
package uci
