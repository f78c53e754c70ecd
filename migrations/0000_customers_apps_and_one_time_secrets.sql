CREATE TABLE `api_keys` (
	`tenant_id` text NOT NULL,
	`key` text NOT NULL,
	`customer_id` text NOT NULL,
	`app_id` text NOT NULL,
	`token_hash` text NOT NULL,
	`created_at` integer NOT NULL,
	`renewed_at` integer NOT NULL,
	PRIMARY KEY(`tenant_id`, `key`),
	FOREIGN KEY (`tenant_id`,`customer_id`) REFERENCES `customers`(`tenant_id`,`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE UNIQUE INDEX `api_keys_customer_app` ON `api_keys` (`tenant_id`,`customer_id`,`app_id`);--> statement-breakpoint
CREATE TABLE `app_credentials` (
	`tenant_id` text NOT NULL,
	`super_key` text NOT NULL,
	`app_id` text NOT NULL,
	`token_hash` text NOT NULL,
	`created_at` integer NOT NULL,
	`expires_at` integer,
	PRIMARY KEY(`tenant_id`, `super_key`),
	FOREIGN KEY (`tenant_id`,`app_id`) REFERENCES `apps`(`tenant_id`,`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE INDEX `app_credentials_app` ON `app_credentials` (`tenant_id`,`app_id`);--> statement-breakpoint
CREATE TABLE `apps` (
	`tenant_id` text NOT NULL,
	`id` text NOT NULL,
	`name` text NOT NULL,
	`permissions` text NOT NULL,
	`platforms` text NOT NULL,
	`accepts_query_credentials` integer NOT NULL,
	`sees_all_customers` integer NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	PRIMARY KEY(`tenant_id`, `id`)
);
--> statement-breakpoint
CREATE TABLE `challenges` (
	`tenant_id` text NOT NULL,
	`purpose` text NOT NULL,
	`subject` text NOT NULL,
	`id` text NOT NULL,
	`customer_id` text NOT NULL,
	`attempts` integer NOT NULL,
	`consumed_at` integer,
	`consumed_by` text,
	`created_at` integer NOT NULL,
	`expires_at` integer NOT NULL,
	PRIMARY KEY(`tenant_id`, `purpose`, `subject`)
);
--> statement-breakpoint
CREATE INDEX `challenges_customer` ON `challenges` (`tenant_id`,`customer_id`);--> statement-breakpoint
CREATE TABLE `customers` (
	`tenant_id` text NOT NULL,
	`id` text NOT NULL,
	`company` text,
	`email` text NOT NULL,
	`email_key` text NOT NULL,
	`name` text,
	`address` text,
	`city` text,
	`region` text,
	`postal_code` text,
	`country` text,
	`phone` text,
	`website` text,
	`status` text NOT NULL,
	`has_api_access` integer NOT NULL,
	`created_by_app` text,
	`version` integer NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	PRIMARY KEY(`tenant_id`, `id`)
);
--> statement-breakpoint
CREATE INDEX `customers_app` ON `customers` (`tenant_id`,`created_by_app`,`id`);--> statement-breakpoint
CREATE UNIQUE INDEX `customers_email` ON `customers` (`tenant_id`,`email_key`);--> statement-breakpoint
CREATE TABLE `events` (
	`tenant_id` text NOT NULL,
	`id` text NOT NULL,
	`at` integer NOT NULL,
	`type` text NOT NULL,
	`actor` text NOT NULL,
	`subject` text NOT NULL,
	`ip` text,
	`user_agent` text,
	`data` text NOT NULL,
	PRIMARY KEY(`tenant_id`, `id`)
);
--> statement-breakpoint
CREATE INDEX `events_subject` ON `events` (`tenant_id`,`subject`,`id`);--> statement-breakpoint
CREATE INDEX `events_type` ON `events` (`tenant_id`,`type`,`id`);--> statement-breakpoint
CREATE TABLE `idempotency` (
	`tenant_id` text NOT NULL,
	`app_id` text NOT NULL,
	`key` text NOT NULL,
	`customer_id` text NOT NULL,
	`request_hash` text NOT NULL,
	`sealed_answer` text NOT NULL,
	`expires_at` integer NOT NULL,
	PRIMARY KEY(`tenant_id`, `app_id`, `key`)
);
--> statement-breakpoint
CREATE INDEX `idempotency_customer` ON `idempotency` (`tenant_id`,`customer_id`);--> statement-breakpoint
CREATE TABLE `rate_hits` (
	`tenant_id` text NOT NULL,
	`bucket` text NOT NULL,
	`at` integer NOT NULL,
	`id` text NOT NULL,
	PRIMARY KEY(`tenant_id`, `bucket`, `at`, `id`)
);
--> statement-breakpoint
CREATE TABLE `signing_keys` (
	`tenant_id` text NOT NULL,
	`kid` text NOT NULL,
	`algorithm` text NOT NULL,
	`state` text NOT NULL,
	`public_jwk` text NOT NULL,
	`sealed_private_jwk` text NOT NULL,
	`created_at` integer NOT NULL,
	PRIMARY KEY(`tenant_id`, `kid`)
);
--> statement-breakpoint
CREATE TABLE `tenant_domains` (
	`domain` text PRIMARY KEY NOT NULL,
	`tenant_id` text NOT NULL
);
--> statement-breakpoint
CREATE INDEX `tenant_domains_tenant` ON `tenant_domains` (`tenant_id`);--> statement-breakpoint
CREATE TABLE `tenants` (
	`id` text PRIMARY KEY NOT NULL,
	`slug` text NOT NULL,
	`name` text NOT NULL,
	`status` text NOT NULL,
	`shard` text NOT NULL,
	`locale` text NOT NULL,
	`site_url` text,
	`origins` text NOT NULL,
	`redirect_uris` text NOT NULL,
	`logout_uri` text,
	`branding` text NOT NULL,
	`settings` text NOT NULL,
	`sealed_data_key` text NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `tenants_slug_unique` ON `tenants` (`slug`);--> statement-breakpoint
CREATE TABLE `users` (
	`tenant_id` text NOT NULL,
	`id` text NOT NULL,
	`customer_id` text NOT NULL,
	`email` text NOT NULL,
	`email_key` text NOT NULL,
	`is_owner` integer NOT NULL,
	`locale` text,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	PRIMARY KEY(`tenant_id`, `id`),
	FOREIGN KEY (`tenant_id`,`customer_id`) REFERENCES `customers`(`tenant_id`,`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE INDEX `users_customer` ON `users` (`tenant_id`,`customer_id`);--> statement-breakpoint
CREATE UNIQUE INDEX `users_email` ON `users` (`tenant_id`,`email_key`);