package schedule

import (
	"encoding/json"
	"strings"
	"time"

	"crypto-ticker/emulator/internal/ids"
	"crypto-ticker/emulator/internal/template"
)

// scheduledEvent is what a target gets without an Input of its own.
// https://docs.aws.amazon.com/lambda/latest/dg/with-eventbridge-scheduler.html
type scheduledEvent struct {
	Version    string          `json:"version"`
	ID         string          `json:"id"`
	DetailType string          `json:"detail-type"`
	Source     string          `json:"source"`
	Account    string          `json:"account"`
	Time       string          `json:"time"`
	Region     string          `json:"region"`
	Resources  []string        `json:"resources"`
	Detail     json.RawMessage `json:"detail"`
}

// Event returns the event with which a schedule that is due at a time invokes
// its function: the Input if there is one, in which EventBridge Scheduler
// replaces its context attributes.
// https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html
func Event(s *template.Schedule, region, account string, at time.Time) []byte {
	// A rule's detail is an object, but Scheduler's is a string that holds one.
	source, kind, detail := "aws.events", "events:"+region+":"+account+":rule/", `{}`
	if s.V2 {
		source, kind, detail = "aws.scheduler", "scheduler:"+region+":"+account+":schedule/default/", `"{}"`
	}
	arn := "arn:aws:" + kind + s.Name
	when, id := at.UTC().Format("2006-01-02T15:04:05Z"), ids.RequestID()
	if s.Input != "" && s.V2 {
		return []byte(strings.NewReplacer(
			"<aws.scheduler.schedule-arn>", arn,
			"<aws.scheduler.scheduled-time>", when,
			"<aws.scheduler.execution-id>", id,
			"<aws.scheduler.attempt-number>", "1",
		).Replace(s.Input))
	}
	if s.Input != "" {
		return []byte(s.Input)
	}
	event, err := json.Marshal(scheduledEvent{
		Version:    "0",
		ID:         id,
		DetailType: "Scheduled Event",
		Source:     source,
		Account:    account,
		Time:       when,
		Region:     region,
		Resources:  []string{arn},
		Detail:     json.RawMessage(detail),
	})
	if err != nil {
		panic("schedule: event cannot be written: " + err.Error()) // strings only
	}
	return event
}
