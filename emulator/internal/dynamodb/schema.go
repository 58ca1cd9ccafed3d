// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.CoreComponents.html

package dynamodb

// Limits of key values, in bytes.
const (
	maxHashSize = 2048
	maxSortSize = 1024
)

// keyAttribute is an attribute of a key.
type keyAttribute struct {
	name  string
	kind  kind // S, N or B
	limit int  // of a value's size, in bytes
}

// schema is the primary key of a table, or the key of an index.
type schema struct {
	hash keyAttribute
	sort keyAttribute // no name: there is none
}

func (s schema) attributes() []keyAttribute {
	if s.sort.name == "" {
		return []keyAttribute{s.hash}
	}
	return []keyAttribute{s.hash, s.sort}
}

func (s schema) has(name string) bool {
	return name == s.hash.name || name == s.sort.name && name != ""
}

// of encodes the key of an item that is to be stored.
func (s schema) of(it item) ([]byte, error) {
	if err := s.fits(it); err != nil {
		return nil, err
	}
	return s.encode(it)
}

// ofBatch is of for a put in a batch, where a key that does not fit has the same
// error as one that is given as such.
func (s schema) ofBatch(it item) ([]byte, error) {
	if err := s.match(it, notOfSchema); err != nil {
		return nil, err
	}
	return s.encode(it)
}

// ofKey encodes a key that is given as such: nothing more, nothing less.
func (s schema) ofKey(key item) ([]byte, error) {
	if err := s.fitsKey(key); err != nil {
		return nil, err
	}
	return s.encode(key)
}

// fits says whether an item that is to be stored has a key of the right types.
func (s schema) fits(it item) error { return s.match(it, notOfItem) }

// fitsKey says whether a key has the right attributes, of the right types.
func (s schema) fitsKey(key item) error {
	if len(key) != len(s.attributes()) {
		return errKeySchema
	}
	return s.match(key, notOfSchema)
}

// match looks for the key's attributes in an item. Of the first that is missing,
// or of another type, it gives the error.
func (s schema) match(it item, misfit func(a keyAttribute, is kind) error) error {
	for _, a := range s.attributes() {
		if v, _ := it.get(a.name); v.kind != a.kind {
			return misfit(a, v.kind)
		}
	}
	return nil
}

var errKeySchema = validation(wrongKeys)

func notOfSchema(keyAttribute, kind) error { return errKeySchema }

func notOfItem(a keyAttribute, is kind) error {
	if is == "" {
		return invalidParameter("Missing the key %s in the item", a.name)
	}
	return invalidParameter("Type mismatch for key %s expected: %s actual: %s", a.name, a.kind, is)
}

// encode encodes a key whose attributes are there and of the right types.
func (s schema) encode(it item) ([]byte, error) {
	hash, _ := it.get(s.hash.name)
	if err := s.hash.check(hash, "Size of hashkey has exceeded the maximum size limit of2048 bytes"); err != nil {
		return nil, err
	}
	key := appendPartition(make([]byte, 0, 64), hash)
	if s.sort.name == "" {
		return key, nil
	}
	sort, _ := it.get(s.sort.name)
	if err := s.sort.check(sort, "Aggregated size of all range keys has exceeded the size limit of 1024 bytes"); err != nil {
		return nil, err
	}
	return appendKey(key, sort), nil
}

// check looks at the value of a key attribute.
func (a keyAttribute) check(v value, tooLong string) error {
	switch {
	case v.kind == kindNumber:
		return nil
	case v.text == "":
		return validation("One or more parameter values are not valid. " + emptyKeyText(v.kind) + " Key: " + a.name)
	case len(v.text) > a.limit:
		return invalidParameter("%s", tooLong)
	}
	return nil
}

func emptyKeyText(k kind) string {
	what := "string"
	if k == kindBinary {
		what = "binary"
	}
	return "The AttributeValue for a key attribute cannot contain an empty " + what + " value."
}

// index is a secondary index of a table.
type index struct {
	name   string
	space  uint64
	global bool
	schema schema
	all    bool            // every attribute is projected
	extra  map[string]bool // projected attributes that are no keys
}

// entry gives the stored key of an item in the index; nil if the item lacks an
// attribute of the index's key, or has a value that cannot be one, which an item
// may that is older than the index. primary is the item's key in the table.
func (x *index) entry(it item, primary []byte) []byte {
	for _, a := range x.schema.attributes() {
		v, ok := it.get(a.name)
		if !ok || v.kind != a.kind || v.kind != kindNumber && (v.text == "" || len(v.text) > a.limit) {
			return nil
		}
	}
	hash, _ := it.get(x.schema.hash.name)
	key := appendPartition(nil, hash)
	if x.schema.sort.name != "" {
		sort, _ := it.get(x.schema.sort.name)
		key = appendKey(key, sort)
	}
	return append(key, primary...)
}

// check says whether an item can be stored in a table with the index. What an
// update makes has errors of its own.
func (x *index) check(it item, updated bool) error {
	either := func(put, update error) error {
		if updated {
			return update
		}
		return put
	}
	for _, a := range x.schema.attributes() {
		v, ok := it.get(a.name)
		switch {
		case !ok:
		case v.kind != a.kind:
			return either(
				x.wrongKind(a, v.kind),
				validation("The update expression attempted to update the secondary index key to unsupported type"))
		case v.kind == kindNumber:
		case v.text == "":
			return either(
				validationf("One or more parameter values are not valid. A value specified for a secondary index key is not supported. "+
					"%s IndexName: %s, IndexKey: %s", emptyKeyText(a.kind), x.name, a.name),
				validation("One or more parameter values are not valid. The update expression attempted to update a secondary index key "+
					"to a value that is not supported. "+emptyKeyText(a.kind)))
		case len(v.text) > a.limit:
			return either(
				invalidParameter("Size of hashkey has exceeded the maximum size limit of%d bytes. IndexName: %s, IndexKey: %s", a.limit, x.name, a.name),
				validation("The update expression attempted to update the secondary index key beyond allowed size limits"))
		}
	}
	return nil
}

// firstOf gives the error of the index, among those that have one, whose name is
// the first.
func (t *table) firstOf(check func(*index) error) (first error) {
	var name string
	for _, x := range t.indexes() {
		if first != nil && x.name > name {
			continue
		}
		if err := check(x); err != nil {
			first, name = err, x.name
		}
	}
	return first
}

// checkKinds refuses an update that gives a key of an index another type, as far
// as that can be said without the item.
func (t *table) checkKinds(u *update) error {
	return t.firstOf(func(x *index) error {
		for _, a := range u.actions {
			for _, key := range x.schema.attributes() {
				if k := a.kind(); len(a.path) == 1 && a.path[0].name == key.name && k != "" && k != key.kind {
					return x.wrongKind(key, k)
				}
			}
		}
		return nil
	})
}

func (x *index) wrongKind(key keyAttribute, k kind) error {
	return invalidParameter("Type mismatch for Index Key %s Expected: %s Actual: %s IndexName: %s", key.name, key.kind, k, x.name)
}

// checkScalars refuses paths that lead into keys, of the table or of an index.
func (t *table) checkScalars(paths []path) error {
	const text = "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: "
	for _, p := range paths {
		if len(p) > 1 && t.schema.has(p[0].name) {
			return validation(text + "Key: " + p[0].name)
		}
	}
	for _, p := range paths {
		for _, x := range t.indexes() {
			if len(p) > 1 && x.schema.has(p[0].name) {
				return validation(text + "IndexKey: " + p[0].name)
			}
		}
	}
	return nil
}

// holds says whether an attribute is in the index.
func (x *index) holds(name string, primary schema) bool {
	return x.all || x.extra[name] || x.schema.has(name) || primary.has(name)
}

// projected gives the attributes of an item that the index holds.
func (x *index) projected(it item, primary schema) item {
	if x.all {
		return it
	}
	var out item
	for _, a := range it {
		if x.holds(a.name, primary) {
			out = append(out, a)
		}
	}
	return out
}
