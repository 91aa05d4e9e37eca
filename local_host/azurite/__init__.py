"""Azurite, Microsoft's emulator of Azure Storage: blobs, queues and tables on loopback.

Source: https://learn.microsoft.com/azure/storage/common/storage-use-azurite
"""
