CREATE TABLE `deliveries` (
	`tenant_id` text NOT NULL,
	`webhook` text NOT NULL,
	`event_id` text NOT NULL,
	`status` text NOT NULL,
	`attempts` integer NOT NULL,
	`due_at` integer NOT NULL,
	`last_attempt_at` integer,
	`last_status` integer,
	`last_error` text,
	`created_at` integer NOT NULL,
	PRIMARY KEY(`tenant_id`, `webhook`, `event_id`),
	FOREIGN KEY (`tenant_id`,`webhook`) REFERENCES `webhooks`(`tenant_id`,`name`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE INDEX `deliveries_due` ON `deliveries` (`status`,`due_at`);--> statement-breakpoint
CREATE TABLE `webhooks` (
	`tenant_id` text NOT NULL,
	`name` text NOT NULL,
	`url` text NOT NULL,
	`events` text NOT NULL,
	`status` text NOT NULL,
	`disabled_reason` text,
	`sealed_secret` text NOT NULL,
	`sealed_old_secret` text,
	`old_secret_expires_at` integer,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	PRIMARY KEY(`tenant_id`, `name`)
);
--> statement-breakpoint
CREATE INDEX `challenges_expiry` ON `challenges` (`tenant_id`,`expires_at`);--> statement-breakpoint
CREATE INDEX `idempotency_expiry` ON `idempotency` (`tenant_id`,`expires_at`);--> statement-breakpoint
CREATE INDEX `rate_hits_at` ON `rate_hits` (`tenant_id`,`at`);--> statement-breakpoint
CREATE INDEX `sessions_expiry` ON `sessions` (`tenant_id`,`expires_at`);