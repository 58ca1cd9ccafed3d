// https://github.com/etcd-io/bbolt/blob/main/internal/common/page.go

package kv

import (
	"encoding/binary"
	"errors"
	"maps"
	"math"
	"slices"

	bolt "go.etcd.io/bbolt"
)

// Only the header pages tell which of a file's pages are its present: the others
// stay as they were until they are used again, and may hold what has long been
// changed or deleted. So each transaction leaves its number in its root. Without a
// header page, the state with the highest number counts in which each page belongs
// either to the tree or to a list of free pages: one of which a page has been used
// again does not stand that.

const transactionKey = "transaction"

// numbered gives the write that makes a transaction known by its number.
func numbered(tx *bolt.Tx) Write {
	return Put(formatSpace, []byte(transactionKey), binary.BigEndian.AppendUint64(nil, uint64(tx.ID())))
}

var errNoHeader = errors.New("neither of its two header pages can be read")

// survey is what a file's pages say of themselves, be they in use or not.
type survey struct {
	numbered  map[uint64][]uint64 // the pages with the number of a transaction: roots, or parts of roots
	parents   map[uint64][]uint64 // the branches that lead to a page
	freelists []uint64
}

// findState does without a header page: it finds the newest state that is whole.
func (p *pageReader) findState() error {
	info, err := p.file.Stat()
	if err != nil {
		return err
	}
	for p.size = 512; !p.fits(info.Size()); p.size *= 2 {
		if p.size == 1<<16 {
			return errNoHeader
		}
	}
	p.meta = boltMeta{PageSize: uint32(p.size), Pages: uint64(info.Size() / p.size)}
	s := p.survey()
	for _, number := range slices.Backward(slices.Sorted(maps.Keys(s.numbered))) {
		found := p.metasOf(number, s)
		if len(found) > 1 {
			break // it cannot be told which of them is newer
		}
		for _, meta := range found {
			p.meta = meta
			p.find("%v; by the others, what can be saved is as of transaction %d, perhaps without the last changes", errNoHeader, number)
			return nil
		}
	}
	return errNoHeader
}

// fits says whether some of the first pages are where they say that they are.
func (p *pageReader) fits(file int64) bool {
	p.meta.Pages = uint64(file / p.size)
	n := 0
	for id := uint64(2); id < min(64, p.meta.Pages); id++ {
		if _, err := p.load(id); err == nil {
			n++
		}
	}
	return n >= 2
}

// survey reads all pages.
func (p *pageReader) survey() (s survey) {
	s.numbered, s.parents = map[uint64][]uint64{}, map[uint64][]uint64{}
	for id := uint64(2); id < p.meta.Pages; id++ {
		page, err := p.load(id)
		if err != nil {
			continue
		}
		switch binary.NativeEndian.Uint16(page[8:]) {
		case leafPage:
			if number, ok := numberIn(page); ok {
				s.numbered[number] = append(s.numbered[number], id)
			}
		case branchPage:
			n := min(int(binary.NativeEndian.Uint16(page[10:])), (len(page)-pageHeader)/pageElement)
			for i := range n {
				child := binary.NativeEndian.Uint64(page[pageHeader+i*pageElement+8:])
				s.parents[child] = append(s.parents[child], id)
			}
		case freelistPage:
			s.freelists = append(s.freelists, id)
		}
	}
	return s
}

// numberIn gives the number of the transaction that has written a page, if that
// belongs to a root and has it.
func numberIn(page []byte) (number uint64, ok bool) {
	mute := &pageReader{} // it may be anything
	mute.leaf("", page, nil, nil, func(flags uint32, key, value []byte) {
		if flags != bucketElement || len(key) != 8 || binary.BigEndian.Uint64(key) != formatSpace || len(value) < bucketHeader {
			return
		}
		mute.leaf("", value[bucketHeader:], nil, nil, func(_ uint32, key, value []byte) {
			if plain, sealed := unseal(formatSpace, key, value); sealed && string(key) == transactionKey && len(plain) == 8 {
				number, ok = binary.BigEndian.Uint64(plain), true
			}
		})
	})
	return number, ok
}

// metasOf gives what the header page of a transaction may have said, by what the
// buckets are then: a branch may be left of an earlier root that says the same.
func (p *pageReader) metasOf(number uint64, s survey) map[string]boltMeta {
	found := map[string]boltMeta{}
	roots := slices.Clone(s.numbered[number])
	for i := 0; i < len(roots); i++ {
		for _, parent := range s.parents[roots[i]] {
			if !slices.Contains(roots, parent) {
				roots = append(roots, parent)
			}
		}
	}
	for _, root := range roots {
		tree := p.rooted(root)
		tree.root()
		if tree.lost || slices.ContainsFunc(tree.findings, func(f Finding) bool { return f.Key == nil }) {
			continue
		}
		for _, freelist := range s.freelists {
			if pages, ok := tree.complement(freelist); ok {
				meta := boltMeta{PageSize: p.meta.PageSize, Root: root, Freelist: freelist, Pages: pages, Transaction: number}
				found[p.buckets(root)] = meta
				break // another that is as good tells nothing else
			}
		}
	}
	return found
}

// buckets gives what the tree of a root says of all spaces, as a text to compare.
func (p *pageReader) buckets(root uint64) string {
	var all []byte
	p.rooted(root).tree(root, nil, nil, 0, func(_ uint32, key, value []byte) {
		all = append(append(all, key...), value...)
	})
	return string(all)
}

// rooted gives a reader of the same file with another root.
func (p *pageReader) rooted(root uint64) *pageReader {
	tree := &pageReader{file: p.file, size: p.size, meta: p.meta, used: make([]bool, p.meta.Pages)}
	tree.meta.Root = root
	tree.take(0, 2)
	return tree
}

// complement says whether a list of free pages has those, and only those, that
// the tree has not, and how many pages there are in all.
func (p *pageReader) complement(freelist uint64) (pages uint64, ok bool) {
	other := &pageReader{file: p.file, size: p.size, meta: p.meta, used: slices.Clone(p.used)}
	other.meta.Freelist = freelist
	free, ok := other.freelist()
	if !ok || len(other.findings) > 0 {
		return 0, false
	}
	gap := uint64(math.MaxUint64)
	for id := range p.meta.Pages {
		switch {
		case !other.used[id] && !free[id]:
			gap = min(gap, id)
		case id > gap:
			return 0, false
		default:
			pages = id + 1
		}
	}
	return pages, true
}
