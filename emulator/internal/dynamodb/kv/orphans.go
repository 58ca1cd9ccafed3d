package kv

import (
	"encoding/binary"
	"slices"
)

// orphans looks for records in all pages that are not free, where something may
// not have been led to. A checksum tells records from anything else, and to
// which space each belongs: first those of the catalog, which tell of the spaces.
func (p *pageReader) orphans(free map[uint64]bool) {
	mute := &pageReader{} // what is wrong with such pages has been found
	for _, inCatalog := range []bool{true, false} {
		each := func(_ uint32, key, value []byte) { p.orphan(inCatalog, key, value) }
		for id := range p.used {
			page := p.remains(uint64(id), free)
			if page == nil {
				continue
			}
			binary.NativeEndian.PutUint16(page[8:], leafPage)
			mute.leaf("", page, nil, nil, each)
			p.within(page, each)
		}
	}
}

// within looks for records of the spaces that lie within a page of the root. Where
// one begins two elements tell, its own and the one before, and its name has 8
// bytes: no single byte makes all of that wrong.
func (p *pageReader) within(page []byte, each func(flags uint32, key, value []byte)) {
	mute, begins, isRoot := &pageReader{}, []uint64{}, false
	n := mute.elements("", page, 4)
	next := uint64(pageHeader + n*pageElement)
	for i := range n {
		at := pageHeader + i*pageElement
		flags, e := binary.NativeEndian.Uint32(page[at:]), page[at+4:]
		begin := uint64(at) + uint64(binary.NativeEndian.Uint32(e))
		begins = append(begins, begin, next)
		next = begin + uint64(binary.NativeEndian.Uint32(e[4:])) + uint64(binary.NativeEndian.Uint32(e[8:]))
		name := slice(page, begin, 8)
		if flags != bucketElement || name == nil {
			continue
		}
		isRoot = true
		if space := binary.BigEndian.Uint64(name); !slices.Contains(p.spaces, space) {
			p.spaces = append(p.spaces, space)
		}
	}
	for _, begin := range begins {
		if at := begin + 8 + bucketHeader; isRoot && at < uint64(len(page)) {
			mute.leaf("", page[at:], nil, nil, each)
		}
	}
}

// remains gives a page that is not free, or what may be one; nil if it cannot be
// read.
func (p *pageReader) remains(id uint64, free map[uint64]bool) []byte {
	if free[id] {
		return nil
	}
	page, err := p.load(id)
	if err == nil {
		return page
	}
	n := int64(1) // its header is what is damaged, which says how long it is
	for next := id + 1; next < uint64(len(p.used)) && !p.used[next] && !free[next]; next++ {
		n++
	}
	page = make([]byte, n*p.size)
	if _, err := p.file.ReadAt(page, int64(id)*p.size); err != nil {
		return nil
	}
	return page
}

// orphan hands over a record whose space only its checksum tells.
func (p *pageReader) orphan(inCatalog bool, key, value []byte) {
	if p.visit == nil {
		return
	}
	if plain, ok := unseal(p.catalog, key, value); ok {
		if inCatalog {
			p.visit(Record{p.catalog, key, plain})
		}
		return
	}
	for _, space := range p.spaces {
		if plain, ok := unseal(space, key, value); ok && !inCatalog {
			p.visit(Record{space, key, plain})
			return
		}
	}
}
