// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateContinuousBackups.html
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DescribeContinuousBackups.html

package dynamodb

import (
	"encoding/json"
	"time"
)

// recovery is the setting of a table's point-in-time recovery. It is kept and
// told; nothing can be restored.
type recovery struct {
	Since time.Time
	Days  int
}

// Limits and default of how far back recovery goes, in days.
const (
	maxRecovery = 35
	// recoveryDelay is how old the latest state is that could be restored.
	recoveryDelay = 5 * time.Minute
)

func (e *Engine) updateContinuousBackups(body []byte) (json.RawMessage, error) {
	var in struct {
		TableName                        *string
		PointInTimeRecoverySpecification struct {
			PointInTimeRecoveryEnabled bool
			RecoveryPeriodInDays       *int
		}
	}
	if err := decodeInput(body, &in); err != nil {
		return nil, err
	}
	name, err := checkTableName(in.TableName)
	if err != nil {
		return nil, err
	}
	spec, days := in.PointInTimeRecoverySpecification, maxRecovery
	if spec.RecoveryPeriodInDays != nil {
		days = *spec.RecoveryPeriodInDays
	}
	enabled := spec.PointInTimeRecoveryEnabled
	if !enabled && spec.RecoveryPeriodInDays != nil {
		return nil, validation("Invalid Request: Cannot specify RecoveryPeriodInDays when disabling point-in-time recovery.")
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	t := e.tables[name]
	if t == nil {
		return nil, tableNotFound(name)
	}
	next := t.record()
	switch {
	case !enabled:
		next.Recovery = nil
	case next.Recovery == nil:
		next.Recovery = &recovery{e.cfg.Clock.Now().UTC(), days}
	default:
		next.Recovery = &recovery{next.Recovery.Since, days}
	}
	if err := e.relayout(t, next, nil, streamChange{}); err != nil {
		return nil, err
	}
	return e.describeRecovery(t)
}

func (e *Engine) describeContinuousBackups(body []byte) (json.RawMessage, error) {
	name, err := tableInput(body)
	if err != nil {
		return nil, err
	}
	t, err := e.find(name)
	if err != nil {
		return nil, tableNotFound(name)
	}
	return e.describeRecovery(t)
}

// describeRecovery tells the setting. Continuous backups themselves are always
// enabled, on AWS from some seconds after the making of the table.
func (e *Engine) describeRecovery(t *table) (json.RawMessage, error) {
	status := map[string]any{"PointInTimeRecoveryStatus": "DISABLED"}
	if r := t.record().Recovery; r != nil {
		latest := e.cfg.Clock.Now().Add(-recoveryDelay)
		earliest := latest.AddDate(0, 0, -r.Days)
		if r.Since.After(earliest) {
			earliest = r.Since
		}
		if earliest.After(latest) {
			latest = earliest
		}
		status = map[string]any{"PointInTimeRecoveryStatus": "ENABLED", "RecoveryPeriodInDays": r.Days,
			"EarliestRestorableDateTime": seconds(earliest), "LatestRestorableDateTime": seconds(latest)}
	}
	return json.Marshal(map[string]any{"ContinuousBackupsDescription": map[string]any{
		"ContinuousBackupsStatus": "ENABLED", "PointInTimeRecoveryDescription": status}})
}

func tableNotFound(name string) error {
	return modelled("TableNotFoundException", "Table not found: "+name)
}
