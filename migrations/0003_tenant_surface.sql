CREATE TABLE `flows` (
	`tenant_id` text NOT NULL,
	`name` text NOT NULL,
	`steps` text NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	PRIMARY KEY(`tenant_id`, `name`)
);
--> statement-breakpoint
CREATE TABLE `held_changes` (
	`tenant_id` text NOT NULL,
	`id` text NOT NULL,
	`subject` text NOT NULL,
	`customer_id` text NOT NULL,
	`sealed_change` text NOT NULL,
	`expires_at` integer NOT NULL,
	PRIMARY KEY(`tenant_id`, `id`)
);
--> statement-breakpoint
CREATE INDEX `held_changes_customer` ON `held_changes` (`tenant_id`,`customer_id`);--> statement-breakpoint
CREATE INDEX `held_changes_expiry` ON `held_changes` (`tenant_id`,`expires_at`);--> statement-breakpoint
CREATE TABLE `postal_codes` (
	`country` text NOT NULL,
	`code` text NOT NULL,
	`city` text NOT NULL,
	`region` text,
	`latitude` real,
	`longitude` real,
	PRIMARY KEY(`country`, `code`)
);
--> statement-breakpoint
CREATE TABLE `providers` (
	`tenant_id` text NOT NULL,
	`name` text NOT NULL,
	`settings` text NOT NULL,
	`allows_signup` integer NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	PRIMARY KEY(`tenant_id`, `name`)
);
--> statement-breakpoint
CREATE TABLE `used_nonces` (
	`tenant_id` text NOT NULL,
	`hash` text NOT NULL,
	`expires_at` integer NOT NULL,
	PRIMARY KEY(`tenant_id`, `hash`)
);
--> statement-breakpoint
CREATE INDEX `used_nonces_expiry` ON `used_nonces` (`tenant_id`,`expires_at`);--> statement-breakpoint
ALTER TABLE `customers` ADD `birth_date` text;--> statement-breakpoint
ALTER TABLE `customers` ADD `timezone` text;--> statement-breakpoint
ALTER TABLE `customers` ADD `latitude` real;--> statement-breakpoint
ALTER TABLE `customers` ADD `longitude` real;--> statement-breakpoint
ALTER TABLE `customers` ADD `attributes` text;--> statement-breakpoint
ALTER TABLE `users` ADD `phone` text;--> statement-breakpoint
ALTER TABLE `users` ADD `phone_verified_at` integer;--> statement-breakpoint
CREATE UNIQUE INDEX `users_phone` ON `users` (`tenant_id`,`phone`);