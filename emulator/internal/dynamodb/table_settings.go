// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_SSESpecification.html
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_OnDemandThroughput.html

package dynamodb

import "strings"

// sseSpecification is how a table is encrypted. It is kept and told; nothing is
// encrypted.
type sseSpecification struct {
	Enabled        *bool
	SSEType        string `json:",omitempty"`
	KMSMasterKeyId string `json:",omitempty"`
}

// enabled says whether the table has a key of its own. Without one, AWS encrypts
// with a key that is not the account's, and tells nothing about it.
func (s *sseSpecification) enabled() bool { return s != nil && s.Enabled != nil && *s.Enabled }

func (s *sseSpecification) check() error {
	switch {
	case s == nil:
		return nil
	case !s.enabled() && s.SSEType != "":
		return invalidParameter("SSEType can not be specified if Enabled is false")
	case !s.enabled() && s.KMSMasterKeyId != "":
		return invalidParameter("KMSMasterKeyId can not be specified if Enabled is false")
	case s.SSEType == "AES256":
		return invalidParameter("SSEType AES256 is not supported")
	case s.KMSMasterKeyId != "" && s.SSEType == "":
		return invalidParameter("SSEType KMS is required if KMSMasterKeyId is specified")
	}
	return nil
}

type sseDescription struct {
	Status          string
	SSEType         string
	KMSMasterKeyArn string
}

// describeSSE tells about a table's encryption, if it has a key.
func (e *Engine) describeSSE(s *sseSpecification) *sseDescription {
	if !s.enabled() {
		return nil
	}
	key := s.KMSMasterKeyId
	switch {
	case key == "":
		key = "alias/aws/dynamodb"
	case !strings.HasPrefix(key, "arn:") && !strings.HasPrefix(key, "alias/"):
		key = "key/" + key
	}
	if !strings.HasPrefix(key, "arn:") {
		key = "arn:aws:kms:" + e.cfg.Region + ":" + e.cfg.AccountID + ":" + key
	}
	return &sseDescription{"ENABLED", "KMS", key}
}

// onDemandThroughput limits what an on-demand table or index may use. It is kept
// and told; nothing is limited.
type onDemandThroughput struct {
	MaxReadRequestUnits  *int64 `json:",omitempty"`
	MaxWriteRequestUnits *int64 `json:",omitempty"`
}

func (o *onDemandThroughput) check(onDemand bool) error {
	if o == nil {
		return nil
	}
	for _, limit := range []struct {
		name  string
		value *int64
	}{{"MaxReadRequestUnits", o.MaxReadRequestUnits}, {"MaxWriteRequestUnits", o.MaxWriteRequestUnits}} {
		switch {
		case limit.value == nil:
		case !onDemand:
			return invalidParameter("%s for OnDemandThroughput cannot be specified when the table BillingMode is PROVISIONED", limit.name)
		case *limit.value < 1 && *limit.value != -1:
			return invalidParameter("Requested %s for OnDemandThroughput for table is outside of valid range", limit.name)
		}
	}
	return nil
}

// with gives the limits with some set to others; -1 lifts one.
func (o *onDemandThroughput) with(next *onDemandThroughput) *onDemandThroughput {
	merged := onDemandThroughput{}
	if o != nil {
		merged = *o
	}
	set := func(to **int64, value *int64) {
		switch {
		case value == nil:
		case *value == -1:
			*to = nil
		default:
			*to = value
		}
	}
	set(&merged.MaxReadRequestUnits, next.MaxReadRequestUnits)
	set(&merged.MaxWriteRequestUnits, next.MaxWriteRequestUnits)
	if merged == (onDemandThroughput{}) {
		return nil
	}
	return &merged
}

func (t *throughput) valid() bool { return t.ReadCapacityUnits > 0 && t.WriteCapacityUnits > 0 }

// checkThroughput says whether a global index has what the table's billing mode
// asks for; missing is the text for one that lacks its throughput.
func (x *indexDefinition) checkThroughput(onDemand bool, missing string) error {
	given := x.ProvisionedThroughput
	switch {
	case onDemand && given != nil && *given != (throughput{}):
		return invalidParameter("Neither ReadCapacityUnits nor WriteCapacityUnits can be specified for index: %s when BillingMode is PAY_PER_REQUEST", x.IndexName)
	case !onDemand && given == nil:
		return invalidParameter(missing, x.IndexName)
	case !onDemand && !given.valid():
		return invalidParameter("Both ReadCapacityUnits and WriteCapacityUnits must be specified for index: %s", x.IndexName)
	}
	return x.OnDemandThroughput.check(onDemand)
}
