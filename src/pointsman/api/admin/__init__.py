"""The administration over HTTP: consumers, credentials, tokens of administrators, the audit log.

Who is asked over the Unix socket is who may open it. Over TCP every request has a token, whose
role says what it may do.
"""
