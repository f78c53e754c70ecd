CREATE TRIGGER `events_to_deliver` AFTER INSERT ON `events` BEGIN
  INSERT INTO `deliveries` (`tenant_id`, `webhook`, `event_id`, `status`, `attempts`, `due_at`, `created_at`)
  SELECT NEW.`tenant_id`, `webhooks`.`name`, NEW.`id`, 'pending', 0, NEW.`at`, NEW.`at`
  FROM `webhooks`
  WHERE `webhooks`.`tenant_id` = NEW.`tenant_id` AND `webhooks`.`status` = 'active'
    AND EXISTS (SELECT 1 FROM json_each(`webhooks`.`events`) WHERE NEW.`type` GLOB json_each.`value`);
END;
