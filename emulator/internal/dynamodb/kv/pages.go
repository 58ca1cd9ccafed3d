// https://github.com/etcd-io/bbolt/blob/main/internal/common/page.go

package kv

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"slices"
)

// The store's file is read here without bbolt, which trusts what it reads: a
// damaged page makes it give wrong answers, fault, or end the process. This
// reader trusts nothing. It meets every page once, so that whatever byte is
// wrong is either found or has no meaning.
//
// A page begins with its number (8 bytes), its kind (2), how many elements it
// has (2), and how many further pages it goes on (4). Elements have 16 bytes
// each, and what they point to lies behind them without gaps. All numbers have
// the machine's byte order.

const (
	pageHeader  = 16
	pageElement = 16

	bucketHeader = 16 // what stands before the page in a bucket that lies within another

	branchPage   = 0x01
	leafPage     = 0x02
	metaPage     = 0x04
	freelistPage = 0x10

	bucketElement = 0x01 // the flag of a leaf's element that is a bucket

	boltMagic   = 0xED0CDAED
	boltVersion = 2
	maxDepth    = 64 // of a tree; far more than any file has room for
)

// pageReader reads a file's pages.
type pageReader struct {
	file *os.File
	size int64 // of a page
	meta boltMeta
	used []bool // by number of the page

	catalog  uint64
	spaces   []uint64 // that have been met, for records of which only the checksum tells it
	upgrade  bool     // values have no checksums yet
	visit    func(Record)
	findings []Finding
	lost     bool // of some part of a tree nothing is known
}

// read reads all of the file, calls visit for each record that is whole, and
// leaves in findings what is wrong. An error says that it cannot be told where
// anything begins.
func (p *pageReader) read() error {
	if err := p.readMetas(); err != nil {
		return err
	}
	p.used = make([]bool, p.meta.Pages)
	p.take(0, 2)
	p.root()
	free, ok := p.freelist()
	for id := range p.used {
		if ok && !p.used[id] && !free[uint64(id)] {
			p.find("page %d belongs to nothing", id)
			p.lost = true
		}
	}
	if p.lost && ok {
		p.orphans(free)
	}
	return nil
}

func (p *pageReader) find(format string, args ...any) {
	p.findings = append(p.findings, Finding{What: fmt.Sprintf(format, args...)})
}

// take notes that pages are used; false if one was used before, or is not there.
func (p *pageReader) take(id, n uint64) bool {
	if id >= uint64(len(p.used)) || n > uint64(len(p.used))-id {
		return false
	}
	for i := id; i < id+n; i++ {
		if p.used[i] {
			return false
		}
	}
	for i := id; i < id+n; i++ {
		p.used[i] = true
	}
	return true
}

// load reads a page with those that it goes on.
func (p *pageReader) load(id uint64) (page []byte, err error) {
	if id >= p.meta.Pages {
		return nil, fmt.Errorf("page %d is not there", id)
	}
	page = make([]byte, p.size)
	if _, err := p.file.ReadAt(page, int64(id)*p.size); err != nil {
		return nil, fmt.Errorf("page %d cannot be read: %w", id, err)
	}
	more := uint64(binary.NativeEndian.Uint32(page[12:]))
	if got := binary.NativeEndian.Uint64(page); got != id || more >= p.meta.Pages-id {
		return nil, fmt.Errorf("page %d has a damaged header", id)
	}
	if more > 0 {
		page = append(page, make([]byte, int64(more)*p.size)...)
		if _, err := p.file.ReadAt(page[p.size:], int64(id+1)*p.size); err != nil && err != io.EOF {
			return nil, fmt.Errorf("page %d cannot be read: %w", id, err)
		}
	}
	return page, nil
}

// storedBucket is a space as the tree of spaces has it.
type storedBucket struct {
	name  uint64
	value []byte
}

// root reads the tree of spaces, and each space.
func (p *pageReader) root() {
	var buckets []storedBucket
	p.tree(p.meta.Root, nil, nil, 0, func(flags uint32, key, value []byte) {
		switch {
		case flags != bucketElement || len(key) != 8 || len(value) < bucketHeader:
			p.find("it is no store: unknown bucket %q", key)
			p.lost = true
		default:
			buckets = append(buckets, storedBucket{binary.BigEndian.Uint64(key), value})
		}
	})
	if len(buckets) == 0 && p.meta.Transaction > 1 && len(p.findings) == 0 { // the first begins without any
		p.find("the tree of spaces is empty")
		p.lost = true
	}
	has := func(name uint64) bool {
		return slices.ContainsFunc(buckets, func(b storedBucket) bool { return b.name == name })
	}
	p.upgrade = has(p.catalog) && !has(formatSpace) && len(p.findings) == 0
	if p.upgrade && p.sealed(buckets) {
		p.find("it does not say that values end with checksums, but they do")
		p.upgrade = false
	}
	for _, b := range buckets {
		p.spaces = append(p.spaces, b.name)
		p.space(b, func(flags uint32, key, value []byte) { p.record(b.name, flags, key, value) })
	}
}

// space reads the elements of a space.
func (p *pageReader) space(b storedBucket, each func(flags uint32, key, value []byte)) {
	if root := binary.NativeEndian.Uint64(b.value); root != 0 {
		p.tree(root, nil, nil, 0, each)
	} else {
		p.leaf("a page within another", b.value[bucketHeader:], nil, nil, each)
	}
}

// sealed says whether any value has a checksum, be it for the space where it is or
// for that of the format, whose name may be what is wrong.
func (p *pageReader) sealed(buckets []storedBucket) (found bool) {
	mute := p.rooted(p.meta.Root) // it reads ahead: what is wrong is found later
	for _, b := range buckets {
		mute.space(b, func(_ uint32, key, value []byte) {
			_, own := unseal(b.name, key, value)
			_, format := unseal(formatSpace, key, value)
			found = found || own || format
		})
	}
	return found
}

// record checks a record and hands it over.
func (p *pageReader) record(space uint64, flags uint32, key, value []byte) {
	plain, sealed := unseal(space, key, value)
	switch {
	case flags == 0 && p.upgrade:
		plain = value
	case flags != 0 || !sealed:
		p.findings = append(p.findings, Finding{"its checksum is wrong", space, key})
		p.orphan(true, key, value) // what is wrong may be the space's name
		p.orphan(false, key, value)
		return
	}
	if p.visit != nil {
		p.visit(Record{space, key, plain})
	}
}

// tree reads the page and those below it. Unless they are nil, from must be the
// first of all their keys, and to be greater than all.
func (p *pageReader) tree(id uint64, from, to []byte, depth int, each func(flags uint32, key, value []byte)) {
	page, err := p.load(id)
	if err == nil && depth > maxDepth {
		err = fmt.Errorf("page %d lies too deep", id)
	}
	if err == nil && !p.take(id, uint64(len(page))/uint64(p.size)) {
		err = fmt.Errorf("page %d is used twice", id)
	}
	if err == nil {
		switch binary.NativeEndian.Uint16(page[8:]) {
		case leafPage:
			p.leaf(fmt.Sprint("page ", id), page, from, to, each)
			return
		case branchPage:
			p.branch(id, page, from, to, depth, each)
			return
		}
		err = fmt.Errorf("page %d is of an unknown kind", id)
		p.give(id, uint64(len(page))/uint64(p.size))
	}
	p.find("%v", err)
	p.lost = true
}

// give undoes take for a page that turned out to be none of the tree.
func (p *pageReader) give(id, n uint64) {
	for i := id; i < id+n; i++ {
		p.used[i] = false
	}
}

// elements gives how many elements a page has, by its header and, if that
// cannot be, by where the first of them says that the content begins.
func (p *pageReader) elements(name string, page []byte, position int) int {
	n := int(binary.NativeEndian.Uint16(page[10:]))
	if len(page) < pageHeader+pageElement {
		if n > 0 {
			p.find("%s is too short for its elements", name)
		}
		return 0
	}
	first := int(binary.NativeEndian.Uint32(page[pageHeader+position:]))
	if n > 0 && first == n*pageElement && pageHeader+first <= len(page) {
		return n
	}
	if n == 0 && first == 0 {
		return 0
	}
	p.find("%s does not have as many elements as it says", name)
	p.lost = true
	return min(max(n, first/pageElement), (len(page)-pageHeader)/pageElement)
}

// slice gives a part of a page; nil if it lies outside.
func slice(page []byte, from, size uint64) []byte {
	if from > uint64(len(page)) || size > uint64(len(page))-from {
		return nil
	}
	return page[from : from+size : from+size]
}

func (p *pageReader) leaf(name string, page, from, to []byte, each func(flags uint32, key, value []byte)) {
	if len(page) < pageHeader {
		p.find("%s is too short for its header", name)
		return
	}
	if binary.NativeEndian.Uint16(page[8:]) != leafPage { // it lies within another, and can be nothing else
		p.find("%s is of an unknown kind", name)
	}
	n := p.elements(name, page, 4)
	if n == 0 && from != nil {
		p.begins(name, nil, from)
		p.lost = true
	}
	next := uint64(pageHeader + n*pageElement)
	var last []byte
	for i := range n {
		at := pageHeader + i*pageElement
		e := page[at:]
		begin := uint64(at) + uint64(binary.NativeEndian.Uint32(e[4:]))
		keySize, valueSize := uint64(binary.NativeEndian.Uint32(e[8:])), uint64(binary.NativeEndian.Uint32(e[12:]))
		key, value := slice(page, begin, keySize), slice(page, begin+keySize, valueSize)
		if begin != next || key == nil || value == nil {
			p.find("%s has a damaged element", name)
			p.lost = true
		} else if !inOrder(last, key, from, to) {
			p.find("%s has a key that is out of order", name)
		}
		if i == 0 {
			p.begins(name, key, from)
		}
		if next = begin + keySize + valueSize; key == nil || value == nil {
			continue
		}
		each(binary.NativeEndian.Uint32(e), key, value)
		last = key
	}
}

// begins checks the first key of a page: it is the one that has led there, since
// bbolt looks for that when it writes the page again. With another it would keep
// both pages, and free one of them.
func (p *pageReader) begins(name string, key, from []byte) {
	if from != nil && !bytes.Equal(key, from) {
		p.find("%s does not begin with the key that leads to it", name)
	}
}

func inOrder(last, key, from, to []byte) bool {
	return (last == nil || bytes.Compare(last, key) < 0) && bytes.Compare(key, from) >= 0 && (to == nil || bytes.Compare(key, to) < 0)
}

func (p *pageReader) branch(id uint64, page, from, to []byte, depth int, each func(flags uint32, key, value []byte)) {
	name := fmt.Sprint("page ", id)
	n := p.elements(name, page, 0)
	if n == 0 {
		p.find("%s leads nowhere", name)
		p.lost = true
	}
	next := uint64(pageHeader + n*pageElement)
	keys, children := make([][]byte, n), make([]uint64, n)
	for i := range n {
		at := pageHeader + i*pageElement
		e := page[at:]
		begin, size := uint64(at)+uint64(binary.NativeEndian.Uint32(e)), uint64(binary.NativeEndian.Uint32(e[4:]))
		keys[i], children[i] = slice(page, begin, size), binary.NativeEndian.Uint64(e[8:])
		if begin != next || keys[i] == nil {
			p.find("%s has a damaged element", name)
			p.lost = true
		}
		next = begin + size
	}
	if n > 0 {
		p.begins(name, keys[0], from)
	}
	for i, child := range children {
		low, high := keys[i], to
		if i+1 < n {
			high = keys[i+1]
		}
		if i > 0 && !inOrder(keys[i-1], keys[i], from, to) {
			p.find("%s has a key that is out of order", name)
		}
		p.tree(child, low, high, depth+1, each)
	}
}
