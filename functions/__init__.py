"""One folder a Lambda function, one handler in each: translate, never decide."""
