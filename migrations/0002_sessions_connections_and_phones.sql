CREATE TABLE `aws_credentials` (
	`tenant_id` text NOT NULL,
	`user_id` text NOT NULL,
	`access_key` text,
	`sealed_secret_access` text,
	`cmk_id` text,
	`region` text,
	`sealed_private_key` text,
	`public_key` text,
	`user_arn` text,
	`created_at` integer NOT NULL,
	PRIMARY KEY(`tenant_id`, `user_id`),
	FOREIGN KEY (`tenant_id`,`user_id`) REFERENCES `users`(`tenant_id`,`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE TABLE `connection_domains` (
	`tenant_id` text NOT NULL,
	`domain` text NOT NULL,
	`connection` text NOT NULL,
	PRIMARY KEY(`tenant_id`, `domain`),
	FOREIGN KEY (`tenant_id`,`connection`) REFERENCES `connections`(`tenant_id`,`name`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE TABLE `connections` (
	`tenant_id` text NOT NULL,
	`name` text NOT NULL,
	`settings` text NOT NULL,
	`allows_signup` integer NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	PRIMARY KEY(`tenant_id`, `name`)
);
--> statement-breakpoint
CREATE TABLE `identities` (
	`tenant_id` text NOT NULL,
	`provider` text NOT NULL,
	`subject` text NOT NULL,
	`user_id` text NOT NULL,
	`created_at` integer NOT NULL,
	PRIMARY KEY(`tenant_id`, `provider`, `subject`),
	FOREIGN KEY (`tenant_id`,`user_id`) REFERENCES `users`(`tenant_id`,`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE INDEX `identities_user` ON `identities` (`tenant_id`,`user_id`);--> statement-breakpoint
CREATE TABLE `login_states` (
	`tenant_id` text NOT NULL,
	`hash` text NOT NULL,
	`browser_hash` text NOT NULL,
	`sealed_details` text NOT NULL,
	`expires_at` integer NOT NULL,
	`consumed_at` integer,
	PRIMARY KEY(`tenant_id`, `hash`)
);
--> statement-breakpoint
CREATE INDEX `login_states_expiry` ON `login_states` (`tenant_id`,`expires_at`);--> statement-breakpoint
CREATE TABLE `phones` (
	`tenant_id` text NOT NULL,
	`id` text NOT NULL,
	`customer_id` text NOT NULL,
	`user_id` text,
	`number` text NOT NULL,
	`type` text NOT NULL,
	PRIMARY KEY(`tenant_id`, `id`),
	FOREIGN KEY (`tenant_id`,`customer_id`) REFERENCES `customers`(`tenant_id`,`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`tenant_id`,`user_id`) REFERENCES `users`(`tenant_id`,`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE INDEX `phones_customer` ON `phones` (`tenant_id`,`customer_id`);--> statement-breakpoint
CREATE INDEX `phones_user` ON `phones` (`tenant_id`,`user_id`);--> statement-breakpoint
CREATE TABLE `sessions` (
	`tenant_id` text NOT NULL,
	`id` text NOT NULL,
	`user_id` text NOT NULL,
	`customer_id` text NOT NULL,
	`generation` integer NOT NULL,
	`provider` text NOT NULL,
	`amr` text NOT NULL,
	`sealed_logout_hint` text,
	`created_at` integer NOT NULL,
	`last_used_at` integer NOT NULL,
	`idle_expires_at` integer NOT NULL,
	`expires_at` integer NOT NULL,
	`revoked_at` integer,
	`recent_rotations` text NOT NULL,
	`ip` text,
	`user_agent` text,
	`place` text,
	PRIMARY KEY(`tenant_id`, `id`),
	FOREIGN KEY (`tenant_id`,`user_id`) REFERENCES `users`(`tenant_id`,`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE INDEX `sessions_user` ON `sessions` (`tenant_id`,`user_id`);--> statement-breakpoint
ALTER TABLE `customers` ADD `type` text;--> statement-breakpoint
ALTER TABLE `customers` ADD `address_line_2` text;--> statement-breakpoint
ALTER TABLE `users` ADD `given_name` text;--> statement-breakpoint
ALTER TABLE `users` ADD `family_name` text;