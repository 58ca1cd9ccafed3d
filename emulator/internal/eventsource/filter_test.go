package eventsource

import "testing"

// sample is a record as filters see it.
const sample = `{"awsRegion":"us-east-1","dynamodb":{"Keys":{"id":{"S":"AnyCompany"}},"NewImage":{"id":{"S":"AnyCompany"},"n":{"N":"7"},
	"tags":{"SS":["red","green"]},"on":{"BOOL":true},"none":{"NULL":true},"empty":{"S":""}},"SizeBytes":26},"eventName":"INSERT","list":[]}`

// image is a pattern of an attribute of the new image.
func image(member string) string { return `{"dynamodb":{"NewImage":{` + member + `}}}` }

func TestFilters(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		pattern string
		want    bool
	}{
		{`{"eventName":["INSERT"]}`, true},
		{`{"eventName":["MODIFY","INSERT"]}`, true},
		{`{"eventName":["MODIFY"]}`, false},
		{`{"eventName":["INSERT"],"awsRegion":["eu-west-1"]}`, false},
		{image(`"id":{"S":["AnyCompany"]}`), true},
		{image(`"id":{"S":["anycompany"]}`), false},
		{image(`"id":{"S":[{"equals-ignore-case":"anycompany"}]}`), true},
		{image(`"id":{"S":[{"prefix":"Any"}]}`), true},
		{image(`"id":{"S":[{"prefix":"any"}]}`), false},
		{image(`"id":{"S":[{"suffix":"pany"}]}`), true},
		{image(`"id":{"S":[{"suffix":"firm"}]}`), false},
		{image(`"id":{"S":[{"anything-but":"Other"}]}`), true},
		{image(`"id":{"S":[{"anything-but":["Other","AnyCompany"]}]}`), false},
		{image(`"id":{"S":[{"anything-but":{"prefix":"Any"}}]}`), false},
		{image(`"gone":{"S":[{"anything-but":"x"}]}`), false},
		{image(`"gone":{"S":[{"exists":false}]}`), true},
		{image(`"id":{"S":[{"exists":false}]}`), false},
		{image(`"id":{"S":[{"exists":true}]}`), true},
		{image(`"id":[{"exists":true}]`), false}, // no leaf
		{image(`"on":{"BOOL":[true]}`), true},
		{image(`"on":{"BOOL":["true"]}`), false},
		{image(`"empty":{"S":[""]}`), true},
		{image(`"tags":{"SS":["green"]}`), true},
		{image(`"tags":{"SS":["blue"]}`), false},
		{image(`"n":{"N":["7"]}`), true},
		{image(`"n":{"N":[7]}`), false},                   // it is a string
		{image(`"n":{"N":[{"numeric":["=",7]}]}`), false}, // and so here
		{`{"dynamodb":{"SizeBytes":[26.0]}}`, true},       // as numbers are compared
		{`{"dynamodb":{"SizeBytes":[{"numeric":["=",26]}]}}`, true},
		{`{"dynamodb":{"SizeBytes":[{"numeric":[">",20,"<=",26]}]}}`, true},
		{`{"dynamodb":{"SizeBytes":[{"numeric":[">=",20,"<",26]}]}}`, false},
		{`{"eventName":{"x":["INSERT"]}}`, false},
		{`{"list":["x"]}`, false},
		{`{"userIdentity":{"type":[{"exists":false}]}}`, true},
		{`{"nothing":[null]}`, false},
		{`{"$or":[{"eventName":["MODIFY"]},{"awsRegion":["us-east-1"]}]}`, true},
		{`{"$or":[{"eventName":["MODIFY"]},{"awsRegion":["eu-west-1"]}]}`, false},
		{`{"eventName":["REMOVE"],"$or":[{"eventName":["INSERT"]},{"awsRegion":["us-east-1"]}]}`, false},
	} {
		f, err := parseFilter(tt.pattern)
		if err != nil {
			t.Errorf("%s: %v", tt.pattern, err)
			continue
		}
		v, err := decode([]byte(sample))
		if err != nil {
			t.Fatal(err)
		}
		if got := f.match(v.(map[string]any)); got != tt.want {
			t.Errorf("%s: got %t", tt.pattern, got)
		}
	}
}

func TestFilterErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ pattern, want string }{
		{`{`, "is no JSON: unexpected EOF"},
		{`{"a":[1]} {}`, "is no JSON: something follows the first value"},
		{`["a"]`, `has ["a"] where an object must be`},
		{`{}`, "has an empty object"},
		{`{"a":{"b":"c"}}`, `has "c" where an object must be at a.b`},
		{`{"a":{"b":[]}}`, "has an empty list at a.b"},
		{`{"a":[["b"]]}`, "has a list in a list at a"},
		{`{"a":[{"prefix":1}]}`, "has prefix: 1 at a; give a string"},
		{`{"a":[{"exists":"yes"}]}`, `has exists: "yes" at a; give true or false`},
		{`{"a":[{"like":"x"}]}`, `has the operator "like" at a; there are anything-but, equals-ignore-case, exists, numeric, prefix and suffix`},
		{`{"a":[{"prefix":"x","suffix":"y"}]}`, "has an operator with 2 members at a; give one"},
		{`{"a":[{"numeric":["=","7"]}]}`, `has the comparison "=" "7" at a; give one of = < <= > >= and a number`},
		{`{"a":[{"numeric":["="]}]}`, `has numeric: ["="] at a; give one or two comparisons, such as [">", 0, "<=", 5]`},
		{`{"a":[{"anything-but":{"like":1}}]}`, `has the operator "like" at a; there are anything-but, equals-ignore-case, exists, numeric, prefix and suffix`},
		{`{"$or":[{"a":["b"]}]}`, "has fewer than two alternatives at $or"},
	} {
		_, err := parseFilter(tt.pattern)
		if err == nil || err.Error() != tt.want {
			t.Errorf("%s:\n got %v\nwant %s", tt.pattern, err, tt.want)
		}
	}
}

// FuzzFilter matches any pattern that can be read.
func FuzzFilter(f *testing.F) {
	f.Add(`{"$or":[{"eventName":["MODIFY"]},{"a":[{"anything-but":[1,null,{"numeric":[">",0,"<=",5]}]},{"exists":true}]}]}`)
	f.Add(image(`"id":{"S":[{"prefix":"Any"},{"suffix":"y"},{"equals-ignore-case":"x"}]}`))
	v, err := decode([]byte(sample))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, pattern string) {
		if p, err := parseFilter(pattern); err == nil {
			p.match(v.(map[string]any))
			p.match(nil)
		}
	})
}
