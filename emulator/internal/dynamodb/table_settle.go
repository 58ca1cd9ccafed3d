// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateTable.html

package dynamodb

import (
	"fmt"
	"slices"
	"strings"
)

// check says what is wrong with an update, whatever the table.
func (in *tableUpdate) check() error {
	if err := in.unsupported.check(); err != nil {
		return err
	}
	if err := checkTableClass(in.TableClass); err != nil {
		return err
	}
	if err := in.SSESpecification.check(); err != nil {
		return err
	}
	if err := in.StreamSpecification.check(false); err != nil {
		return err
	}
	if err := in.checkCombination(); err != nil {
		return err
	}
	return in.checkIndexUpdates()
}

// checkCombination refuses changes that cannot come together.
func (in *tableUpdate) checkCombination() error {
	units := in.ProvisionedThroughput != nil || in.BillingMode != ""
	given := map[string]bool{
		"Server-Side Encryption": in.SSESpecification != nil, "TableClass": in.TableClass != "",
		"DeletionProtection": in.DeletionProtectionEnabled != nil, "throughput": units, "OnDemandThroughput": in.OnDemandThroughput != nil,
		"stream": in.StreamSpecification != nil, "indexes": in.GlobalSecondaryIndexUpdates != nil,
	}
	n := 0
	for _, there := range given {
		if there {
			n++
		}
	}
	if n == 0 {
		return validation("At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates, " +
			"SSESpecification, ReplicaUpdates, MultiAccountReplicaReady, ReplicaTransitRoleArn, MultiRegionConsistency, " +
			"DeletionProtectionEnabled, OnDemandThroughput, WarmThroughput or TableClass is required")
	}
	for _, alone := range []string{"Server-Side Encryption", "TableClass", "DeletionProtection"} {
		if given[alone] && n > 1 {
			return invalidParameter("%s modification must be the only operation in the request", alone)
		}
	}
	online := slices.ContainsFunc(in.GlobalSecondaryIndexUpdates, func(u indexUpdate) bool { return u.Create != nil || u.Delete != nil })
	switch {
	case in.OnDemandThroughput != nil && n > 1 && (n > 2 || in.BillingMode == ""):
		return invalidParameter("OnDemandThroughput can only be combined with BillingMode in an UpdateTable request")
	case units && in.StreamSpecification != nil:
		return invalidParameter("You cannot modify stream status while updating table IOPS")
	case units && online:
		return invalidParameter("You cannot create or delete index while updating table IOPS")
	case online && in.StreamSpecification != nil:
		return invalidParameter("You cannot create or delete index while changing stream status")
	}
	return nil
}

func (in *tableUpdate) checkIndexUpdates() error {
	if in.GlobalSecondaryIndexUpdates != nil && len(in.GlobalSecondaryIndexUpdates) == 0 {
		return invalidParameter("List of GlobalSecondaryIndexUpdates is empty")
	}
	seen, online := map[string]bool{}, 0
	for _, u := range in.GlobalSecondaryIndexUpdates {
		actions := 0
		for _, there := range []bool{u.Create != nil, u.Update != nil, u.Delete != nil} {
			if there {
				actions++
			}
		}
		switch {
		case actions == 0:
			return invalidParameter("One of GlobalSecondaryIndexUpdate.Update, GlobalSecondaryIndexUpdate.Create, GlobalSecondaryIndexUpdate.Delete must not be null")
		case actions > 1:
			return invalidParameter("Only one global secondary index action is allowed per GlobalSecondaryIndexUpdate object")
		case seen[u.name()]:
			return invalidParameter("Only one global secondary index update per index is allowed simultaneously. Index: %s", u.name())
		case u.Create != nil && in.AttributeDefinitions == nil:
			return invalidParameter("AttributeDefinitions is not specified for index: %s", u.name())
		}
		seen[u.name()] = true
		if u.Update == nil {
			online++
		}
	}
	if online > 1 {
		return limitExceeded("Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table")
	}
	return nil
}

// settle applies the settings of an update to a table's record.
func (e *Engine) settle(r *tableRecord, in *tableUpdate) error {
	now := e.cfg.Clock.Now().UTC()
	d := &r.Definition
	if err := in.settleBilling(d); err != nil {
		return err
	}
	if in.BillingMode == "PAY_PER_REQUEST" && d.BillingMode != in.BillingMode {
		r.OnDemand, d.ProvisionedThroughput = now, nil
		d.GlobalSecondaryIndexes = slices.Clone(d.GlobalSecondaryIndexes)
		for i := range d.GlobalSecondaryIndexes {
			d.GlobalSecondaryIndexes[i].ProvisionedThroughput = nil
		}
	}
	if in.BillingMode != "" {
		d.BillingMode = in.BillingMode
	}
	if in.ProvisionedThroughput != nil {
		r.noteThroughput("", d.ProvisionedThroughput, in.ProvisionedThroughput, now)
		d.ProvisionedThroughput = in.ProvisionedThroughput
	}
	if in.OnDemandThroughput != nil {
		d.OnDemandThroughput = d.OnDemandThroughput.with(in.OnDemandThroughput)
	}
	if in.DeletionProtectionEnabled != nil {
		d.DeletionProtectionEnabled = *in.DeletionProtectionEnabled
	}
	if in.TableClass != "" && in.TableClass != d.TableClass {
		d.TableClass, r.Classed = in.TableClass, now
	}
	if s := in.SSESpecification; s != nil {
		if !s.enabled() && !d.SSESpecification.enabled() {
			return invalidParameter("Table is already encrypted by default")
		}
		if s.enabled() && d.SSESpecification.enabled() && (s.KMSMasterKeyId == "" || s.KMSMasterKeyId == d.SSESpecification.KMSMasterKeyId) {
			return invalidParameter("Table is already encrypted with given KMSMasterKeyId. Use KMSMasterKeyId parameter if you want to change Master Key")
		}
		d.SSESpecification = s
	}
	return nil
}

// settleBilling checks an update of throughput against a table's definition.
func (in *tableUpdate) settleBilling(d *tableDefinition) error {
	onDemand := in.BillingMode == "PAY_PER_REQUEST" || in.BillingMode == "" && d.BillingMode == "PAY_PER_REQUEST"
	wants := in.ProvisionedThroughput
	switch {
	case onDemand && wants != nil:
		return invalidParameter("Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST")
	case in.BillingMode == "PROVISIONED" && wants == nil:
		return invalidParameter("ProvisionedThroughput must be specified when BillingMode is PROVISIONED")
	case wants != nil && !wants.valid():
		return invalidParameter("ReadCapacityUnits and WriteCapacityUnits must be at least 1")
	case wants != nil && d.ProvisionedThroughput != nil && *wants == *d.ProvisionedThroughput:
		return unchanged("the table", "for the table", *wants)
	}
	if err := in.OnDemandThroughput.check(onDemand); err != nil {
		return err
	}
	if onDemand || d.BillingMode != "PAY_PER_REQUEST" {
		return nil
	}
	for _, x := range d.GlobalSecondaryIndexes {
		given := slices.ContainsFunc(in.GlobalSecondaryIndexUpdates, func(u indexUpdate) bool {
			return u.Update != nil && u.Update.IndexName == x.IndexName && u.Update.ProvisionedThroughput != nil
		})
		if !given {
			return invalidParameter("ProvisionedThroughput must be specified for index: %s", x.IndexName)
		}
	}
	return nil
}

// unchanged is the error for a throughput that is set already.
func unchanged(what, forWhat string, t throughput) error {
	return validation(fmt.Sprintf("The provisioned throughput for %s will not change. The requested value equals the current value. "+
		"Current ReadCapacityUnits provisioned %[2]s: %[3]d. Requested ReadCapacityUnits: %[3]d. "+
		"Current WriteCapacityUnits provisioned %[2]s: %[4]d. Requested WriteCapacityUnits: %[4]d. "+
		"Refer to the Amazon DynamoDB Developer Guide for current limits and how to request higher limits.",
		what, forWhat, t.ReadCapacityUnits, t.WriteCapacityUnits))
}

func checkTableClass(class string) error {
	if class == "" || class == "STANDARD" || class == "STANDARD_INFREQUENT_ACCESS" {
		return nil
	}
	return validation("Invalid table-class parameter provided. Please try again with a valid table-class value: [" +
		strings.Join([]string{"STANDARD", "STANDARD_INFREQUENT_ACCESS"}, ", ") + "].")
}
