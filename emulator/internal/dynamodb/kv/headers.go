package kv

import (
	"encoding/binary"
	"errors"
	"hash/fnv"
	"math"
)

// boltMeta is the content of a header page, of which a file has two: that of
// the last transaction, and that of the one before.
type boltMeta struct {
	Magic, Version, PageSize, Flags uint32
	Root, Sequence                  uint64
	Freelist, Pages, Transaction    uint64
	Checksum                        uint64
}

const metaSize = 64

func parseMeta(page []byte) (m boltMeta, ok bool) {
	if len(page) < pageHeader+metaSize {
		return m, false
	}
	body := page[pageHeader : pageHeader+metaSize]
	if _, err := binary.Decode(body, binary.NativeEndian, &m); err != nil {
		return m, false
	}
	sum := fnv.New64a()
	sum.Write(body[:metaSize-8])
	ok = m.Magic == boltMagic && m.Version == boltVersion && m.Checksum == sum.Sum64()
	return m, ok && m.PageSize >= 512 && m.PageSize <= 1<<16 && m.PageSize&(m.PageSize-1) == 0
}

// readMetas finds the newest header, or without any the newest state. If one of
// the two is damaged, that is a finding even where the other serves: it may have
// been the newer one, and the last transaction would be lost unnoticed.
func (p *pageReader) readMetas() error {
	metas, good := [2]boltMeta{}, [2]bool{}
	at := int64(0)
	for i := range metas {
		page := make([]byte, pageHeader+metaSize)
		for size := int64(512); i == 1 && !good[0] && size <= 1<<16; size *= 2 { // the first would tell
			p.file.ReadAt(page, size)
			if _, at = parseMetaAt(page, size); at != 0 {
				break
			}
		}
		if _, err := p.file.ReadAt(page, at); err == nil {
			metas[i], good[i] = parseMeta(page)
			if good[i] && (binary.NativeEndian.Uint64(page) != uint64(i) || binary.NativeEndian.Uint16(page[8:]) != metaPage) {
				p.find("page %d has a damaged header", i)
			}
		}
		at = int64(metas[0].PageSize)
	}
	switch {
	case !good[0] && !good[1]:
		return p.findState()
	case !good[0] || !good[1]:
		p.find("one of its two header pages is damaged: the last change may be missing")
	}
	p.meta = metas[0]
	if !good[0] || good[1] && metas[1].Transaction > metas[0].Transaction {
		p.meta = metas[1]
	}
	p.size = int64(p.meta.PageSize)
	info, err := p.file.Stat()
	if err != nil {
		return err
	}
	if has := uint64(info.Size() / p.size); p.meta.Pages > has {
		p.find("it has %d pages instead of %d", has, p.meta.Pages)
		p.meta.Pages = has
		p.lost = true
	}
	return nil
}

// parseMetaAt gives where a header page lies that says of itself that it lies
// there.
func parseMetaAt(page []byte, at int64) (boltMeta, int64) {
	if m, ok := parseMeta(page); ok && int64(m.PageSize) == at {
		return m, at
	}
	return boltMeta{}, 0
}

// freelist reads which pages are free; ok is false if that cannot be told.
func (p *pageReader) freelist() (free map[uint64]bool, ok bool) {
	page, err := p.load(p.meta.Freelist)
	if err == nil && (binary.NativeEndian.Uint16(page[8:]) != freelistPage || !p.take(p.meta.Freelist, uint64(len(page))/uint64(p.size))) {
		err = errors.New("the list of free pages is damaged")
	}
	if err != nil {
		p.find("%v", err)
		return nil, false
	}
	n, list := uint64(binary.NativeEndian.Uint16(page[10:])), page[pageHeader:]
	if n == math.MaxUint16 {
		n, list = binary.NativeEndian.Uint64(list), list[8:]
	}
	if n > uint64(len(list)/8) {
		p.find("the list of free pages is damaged")
		return nil, false
	}
	free, ok = make(map[uint64]bool, n), true
	for i := range n {
		id := binary.NativeEndian.Uint64(list[i*8:])
		switch {
		case id >= p.meta.Pages || free[id]:
			p.find("the list of free pages is damaged")
			return nil, false
		case p.used[id]:
			p.find("page %d is used, but free", id)
			p.lost = true
		}
		free[id] = true
	}
	return free, true
}
