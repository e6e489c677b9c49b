"""The Redis store: responses, purges, tags and marks that several machines share (Redis or Valkey)."""

from app.store.redis.address import Address, is_redis
from app.store.redis.store import RedisStore

__all__ = ["Address", "RedisStore", "is_redis"]
