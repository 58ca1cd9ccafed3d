package template

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

// streamed is a template of a function and a table with a stream, and what is
// added, from line 17 on.
func streamed(more string) string {
	return sam + `Resources:
  Notes:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
      StreamSpecification: {StreamViewType: NEW_IMAGE}
  Queue: {Type: AWS::SQS::Queue}
  Fn:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: fn
      Handler: h
      Runtime: provided.al2023
` + more
}

// onNotes is a DynamoDB event of the function, with further properties.
func onNotes(properties string) string {
	return streamed(`      Events:
        Changes:
          Type: DynamoDB
          Properties: {Stream: !GetAtt Notes.StreamArn, StartingPosition: LATEST` + properties + "}\n")
}

// mapping is a mapping beside the function, with further properties.
func mapping(properties string) string {
	return streamed(`  Map:
    Type: AWS::Lambda::EventSourceMapping
    Properties: {` + properties + "}\n")
}

func TestEventSources(t *testing.T) {
	t.Parallel()
	const function = "arn:aws:lambda:us-east-1:123456789012:function:Fn"
	defaults := EventSource{Name: "FnChanges", FunctionARN: function, Table: "Notes", Enabled: true, Latest: true,
		BatchSize: 100, MaxRetries: -1, MaxAge: 7 * 24 * time.Hour}
	full := EventSource{Name: "FnChanges", FunctionARN: function, Table: "Notes", Latest: true, BatchSize: 7, Window: 5 * time.Second,
		Bisect: true, MaxRetries: 3, MaxAge: time.Minute, ReportFailures: true, Filters: []string{`{"eventName":["INSERT"]}`}}
	raw := defaults
	raw.Name, raw.Latest = "Map", false
	for _, tt := range []struct {
		name, src string
		want      EventSource
		note      string
	}{
		{"defaults", onNotes(""), defaults, ""},
		{"all", onNotes(`, BatchSize: 7, MaximumBatchingWindowInSeconds: 5, BisectBatchOnFunctionError: true, MaximumRetryAttempts: 3,
            MaximumRecordAgeInSeconds: 60, FunctionResponseTypes: [ReportBatchItemFailures], Enabled: false,
            FilterCriteria: {Filters: [{Pattern: '{"eventName":["INSERT"]}'}]}`), full, ""},
		{"mapping by name", mapping("EventSourceArn: !GetAtt Notes.StreamArn, FunctionName: !Ref Fn, StartingPosition: TRIM_HORIZON"), raw, ""},
		{"mapping by ARN", mapping("EventSourceArn: !GetAtt Notes.StreamArn, FunctionName: !GetAtt Fn.Arn, StartingPosition: TRIM_HORIZON"), raw, ""},
		{"in parallel", onNotes(", ParallelizationFactor: 2"), defaults, "property Events.Changes.Properties.ParallelizationFactor: batches go one after the other"},
		{"destination", onNotes(", DestinationConfig: {OnFailure: {Type: SQS, Destination: !GetAtt Queue.Arn}}"), defaults,
			"property Events.Changes.Properties.DestinationConfig.OnFailure: records that are given up are logged"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, err := Parse("template.yaml", []byte(tt.src), Options{})
			if err != nil {
				t.Fatal(err)
			}
			if len(s.EventSources) != 1 {
				t.Fatalf("got %d mappings", len(s.EventSources))
			}
			got := *s.EventSources[0]
			if got.Pos.Line < 17 {
				t.Errorf("got %s", got.Pos)
			}
			got.Pos = Pos{}
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
			var notes []string
			for _, n := range s.NotEmulated {
				if n.Resource != "Queue" {
					notes = append(notes, n.What)
				}
			}
			if got := strings.Join(notes, "; "); got != tt.note {
				t.Errorf("noted %q, want %q", got, tt.note)
			}
			if want := "arn:aws:dynamodb:us-east-1:123456789012:table/Notes/stream/2026-01-01T00:00:00.000"; s.Tables[0].StreamARN != want {
				t.Errorf("the table's stream is %s, want %s", s.Tables[0].StreamARN, want)
			}
		})
	}
}

func TestEventSourceErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, src, want string }{
		{"no stream", streamed("      Events: {Changes: {Type: DynamoDB, Properties: {StartingPosition: LATEST}}}\n"),
			"17: Fn: Events.Changes.Properties.Stream is missing; give it"},
		{"no position", streamed("      Events: {Changes: {Type: DynamoDB, Properties: {Stream: !GetAtt Notes.StreamArn}}}\n"),
			"17: Fn: Events.Changes.Properties.StartingPosition is missing; give it"},
		{"the table's ARN", streamed("      Events: {Changes: {Type: DynamoDB, Properties: {Stream: !GetAtt Notes.Arn, StartingPosition: LATEST}}}\n"),
			`17: Fn: Events.Changes.Properties.Stream is "arn:aws:dynamodb:us-east-1:123456789012:table/Notes", which is no stream of a table of this template; use !GetAtt Table.StreamArn`},
		{"position", strings.Replace(onNotes(""), "LATEST", "FIRST", 1), `20: Fn: Events.Changes.Properties.StartingPosition is "FIRST"; give one of TRIM_HORIZON, LATEST`},
		{"batch", onNotes(", BatchSize: 10001"), "20: Fn: Events.Changes.Properties.BatchSize is 10001; give a number from 1 to 10000"},
		{"age", onNotes(", MaximumRecordAgeInSeconds: 59"), "20: Fn: Events.Changes.Properties.MaximumRecordAgeInSeconds is 59; give -1 or a number from 60 to 604800"},
		{"response type", onNotes(", FunctionResponseTypes: [All]"), `20: Fn: Events.Changes.Properties.FunctionResponseTypes has "All"; there is only ReportBatchItemFailures`},
		{"misspelt", onNotes(", BatchSiz: 1"), "20: Fn: Events.Changes.Properties.BatchSiz is unknown; did you mean BatchSize?"},
		{"filter", onNotes(", FilterCriteria: {Filters: [{Pattern: {a: b}}]}"), `20: Fn: Events.Changes.Properties.FilterCriteria.Filters must hold maps with a Pattern that is a string, such as '{"eventName": ["INSERT"]}'`},
		{"function as destination", onNotes(", DestinationConfig: {OnFailure: {Destination: !GetAtt Fn.Arn}}"),
			"20: Fn: Events.Changes.Properties.DestinationConfig.OnFailure.Destination is a function, which Lambda refuses for a stream; name an SQS queue, an SNS topic or an S3 bucket"},
		{"no such function", mapping("EventSourceArn: !GetAtt Notes.StreamArn, FunctionName: Other, StartingPosition: LATEST"),
			`19: Map: FunctionName is "arn:aws:lambda:us-east-1:123456789012:function:Other", which is no function of this template; use !GetAtt Function.Arn`},
		{"property of another source", mapping("EventSourceArn: !GetAtt Notes.StreamArn, FunctionName: !Ref Fn, StartingPosition: LATEST, Topics: [a]"),
			"19: Map: Topics is not for a table's stream; leave it out"},
		{"view", one("AWS::DynamoDB::Table", "BillingMode: PAY_PER_REQUEST, AttributeDefinitions: [{}], KeySchema: [{}], StreamSpecification: {StreamViewType: ALL}"),
			`5: R: StreamSpecification.StreamViewType is "ALL"; give one of KEYS_ONLY, NEW_IMAGE, OLD_IMAGE, NEW_AND_OLD_IMAGES`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := Parse("template.yaml", []byte(tt.src), Options{})
			if err == nil {
				t.Fatalf("no error, want %s", tt.want)
			}
			if got := strings.TrimPrefix(err.Error(), "template.yaml:"); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// TestOtherEventSources are noted.
func TestOtherEventSources(t *testing.T) {
	t.Parallel()
	s, err := Parse("template.yaml", []byte(mapping("EventSourceArn: !GetAtt Queue.Arn, FunctionName: !Ref Fn")), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(s.EventSources) != 0 || len(s.NotEmulated) != 2 || s.NotEmulated[1].What != "AWS::Lambda::EventSourceMapping of another source than a table's stream" {
		t.Errorf("got %v and %v", s.EventSources, s.NotEmulated)
	}
}
