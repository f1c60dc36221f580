"""The ports over real wires: DynamoDB, S3, Secrets Manager, the providers."""
