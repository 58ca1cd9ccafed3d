package template

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Error is one thing that is wrong with a template.
type Error struct {
	Pos      Pos
	Resource string // logical id, or such as "parameter X"; "" for the template as a whole
	Msg      string // what is wrong; what to do
}

// Error gives file:line: resource: message.
func (e *Error) Error() string {
	if e.Resource == "" {
		return e.Pos.String() + ": " + e.Msg
	}
	return e.Pos.String() + ": " + e.Resource + ": " + e.Msg
}

// maxErrors keeps a hopeless template from filling the terminal.
const maxErrors = 50

// A report gathers what is wrong and what is passed over, so that a reader of
// the template sees everything at once.
type report struct {
	file  string
	errs  []*Error
	seen  map[Error]bool
	notes []Note
	noted map[Note]bool
	more  bool // problems are left out

	searched int // how many names suggest has looked at
}

func newReport(file string) *report {
	return &report{file: file, seen: map[Error]bool{}, noted: map[Note]bool{}}
}

// errorf records a problem, once.
func (r *report) errorf(line int, resource, format string, args ...any) {
	e := Error{Pos: r.pos(line), Resource: resource, Msg: fmt.Sprintf(format, args...)}
	switch {
	case r.seen[e]:
	case r.full():
		r.more = true
	default:
		r.seen[e] = true
		r.errs = append(r.errs, &e)
	}
}

// notef records, once, something that is not emulated.
func (r *report) notef(line int, resource, format string, args ...any) {
	n := Note{Pos: r.pos(line), Resource: resource, What: fmt.Sprintf(format, args...)}
	if !r.noted[n] {
		r.noted[n] = true
		r.notes = append(r.notes, n)
	}
}

// full says that no more problems are taken, so that there is no point in looking
// for them.
func (r *report) full() bool { return len(r.errs) >= maxErrors }

func (r *report) pos(line int) Pos { return Pos{File: r.file, Line: max(line, 1)} }

// err joins the problems in the order of their lines; it is nil without any.
func (r *report) err() error {
	slices.SortStableFunc(r.errs, func(a, b *Error) int { return cmp.Compare(a.Pos.Line, b.Pos.Line) })
	var all []error
	for _, e := range r.errs {
		all = append(all, e)
	}
	if r.more {
		all = append(all, fmt.Errorf("%s: and more", r.file))
	}
	return errors.Join(all...)
}

// sortedNotes gives the notes in the order of their lines.
func (r *report) sortedNotes() []Note {
	slices.SortStableFunc(r.notes, func(a, b Note) int { return cmp.Compare(a.Pos.Line, b.Pos.Line) })
	return r.notes
}

// didYouMean returns "; did you mean X?" if one of the names is close to what
// was written, else "".
func didYouMean(written string, names []string) string {
	if name := closest(written, names); name != "" {
		return "; did you mean " + name + "?"
	}
	return ""
}

// suggest is didYouMean for names of the template, of which there may be so many
// that it gives up.
func (r *report) suggest(written string, names func() []string) string {
	const most = 200_000
	if r.searched > most {
		return ""
	}
	all := names()
	r.searched += len(all)
	return didYouMean(written, all)
}

// closest returns the name that differs from what was written by case or by
// few edits, or "".
func closest(written string, names []string) string {
	if len(written) > 255 {
		return "" // longer than any name can be
	}
	best, least := "", min(2, len(written)/3)+1
	for _, name := range slices.Sorted(slices.Values(names)) {
		if strings.EqualFold(written, name) {
			return name
		}
		if d := distance(strings.ToLower(written), strings.ToLower(name), least); d < least {
			best, least = name, d
		}
	}
	return best
}

// distance is the number of letters to add, leave out, replace or swap with the
// next one to get from a to b; limit or more if it is not less than limit.
func distance(a, b string, limit int) int {
	if d := len(a) - len(b); d >= limit || -d >= limit {
		return limit
	}
	// Rows of the table of distances between beginnings: this one and the two
	// before it.
	row, last, lastButOne := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row, last, lastButOne = lastButOne, row, last
		row[0] = i
		for j := 1; j <= len(b); j++ {
			replace := last[j-1]
			if a[i-1] != b[j-1] {
				replace++
			}
			row[j] = min(replace, last[j]+1, row[j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], lastButOne[j-2]+1)
			}
		}
	}
	return row[len(b)]
}
