"""The HTTP/2 engine on the pure Python `h2`: the fallback, and the second opinion in tests."""

from collections.abc import Iterator

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    RemoteSettingsChanged,
    ResponseReceived,
    StreamReset,
    TrailersReceived,
    WindowUpdated,
)
from h2.exceptions import H2Error, NoSuchStreamError
from h2.settings import SettingCodes, Settings

from clarion.net.engines import (
    CONNECTION_WINDOW,
    REFUSED_STREAM,
    STREAM_WINDOW,
    UNLIMITED,
    EngineClosed,
    Fields,
    Listener,
)

_CONFIGURATION = H2Configuration(client_side=True, header_encoding=None)
_SETTINGS = {
    SettingCodes.ENABLE_PUSH: 0,
    SettingCodes.INITIAL_WINDOW_SIZE: STREAM_WINDOW,
    SettingCodes.MAX_HEADER_LIST_SIZE: 1 << 16,
}
_DEFAULT_WINDOW = 65_535
_FRAME_HEAD = 9
"""Octets before a frame's payload; the first three are the payload's length (RFC 9113, 4.1)."""


class H2Engine:
    """One client connection in `h2`."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._wire = H2Connection(_CONFIGURATION)
        self._wire.local_settings = Settings(client=True, initial_values=_SETTINGS)
        self._wire.initiate_connection()
        self._wire.increment_flow_control_window(CONNECTION_WINDOW - _DEFAULT_WINDOW)
        self._input = bytearray()
        self._output = bytearray()
        self._unsent: dict[int, memoryview] = {}
        """What is left of the body of every open stream."""

    def post(self, fields: Fields, body: bytes) -> int:
        try:
            stream = self._wire.get_next_available_stream_id()
            self._wire.send_headers(stream, list(fields), end_stream=not body)
            self._unsent[stream] = memoryview(body)
            self._feed(stream)
        except H2Error as error:
            raise EngineClosed(str(error)) from error
        finally:
            self._collect()
        return stream

    def reset(self, stream: int) -> None:
        if stream not in self._unsent:
            return
        self._drop(stream, ErrorCodes.CANCEL)
        self._listener.closed(stream, ErrorCodes.CANCEL, False)

    def ping(self) -> None:
        try:
            self._wire.ping(b"sign ok?")
        except H2Error as error:
            raise EngineClosed(str(error)) from error

    def close(self) -> None:
        try:
            self._wire.close_connection()
        except H2Error as error:
            raise EngineClosed(str(error)) from error

    def receive(self, data: bytes) -> None:
        self._input += data
        for frame in self._frames():
            try:
                self._receive_frame(frame)
            except H2Error as error:
                raise EngineClosed(str(error)) from error

    def output(self) -> bytes:
        self._collect()
        ready = bytes(self._output)
        self._output.clear()
        return ready

    def _frames(self) -> Iterator[bytes]:
        while len(self._input) >= _FRAME_HEAD:
            end = _FRAME_HEAD + int.from_bytes(self._input[:3], "big")
            if len(self._input) < end:
                return
            frame = bytes(self._input[:end])
            del self._input[:end]
            yield frame

    def _receive_frame(self, frame: bytes) -> None:
        # One frame at a time: after a GOAWAY `h2` discards its output and refuses all further frames,
        # although the open streams still have answers to come.
        self._collect()
        state = self._wire.state_machine.state
        for event in self._wire.receive_data(frame):
            if isinstance(event, ConnectionTerminated):
                self._wire.state_machine.state = state
            self._tell(event)

    def _collect(self) -> None:
        self._output += self._wire.data_to_send()

    def _tell(self, event: Event) -> None:
        match event:
            case ResponseReceived():
                self._listener.headers(event.stream_id, event.headers, event.stream_ended is not None)
                self._end(event.stream_id, event.stream_ended is not None)
            case DataReceived():
                self._wire.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                self._listener.data(event.stream_id, event.data, event.stream_ended is not None)
                self._end(event.stream_id, event.stream_ended is not None)
            case TrailersReceived():
                self._listener.data(event.stream_id, b"", True)
                self._end(event.stream_id, True)
            case StreamReset():
                self._unsent.pop(event.stream_id, None)
                self._listener.closed(event.stream_id, event.error_code, event.error_code == REFUSED_STREAM)
            case _:
                self._tell_rare(event)

    def _tell_rare(self, event: Event) -> None:
        match event:
            case WindowUpdated():
                self._feed_all()
            case RemoteSettingsChanged():
                self._listener.settings(min(self._wire.remote_settings.max_concurrent_streams, UNLIMITED))
                self._feed_all()
            case ConnectionTerminated():
                self._listener.going_away()
                self._give_back(event.last_stream_id or 0)

    def _end(self, stream: int, ended: bool) -> None:
        """After the whole answer: what is left of the body is nobody's interest."""
        if not ended or stream not in self._unsent:
            return
        if self._unsent[stream]:
            self._drop(stream, ErrorCodes.NO_ERROR)
        self._unsent.pop(stream, None)
        self._listener.closed(stream, ErrorCodes.NO_ERROR, False)

    def _drop(self, stream: int, code: ErrorCodes) -> None:
        self._unsent.pop(stream, None)
        try:
            self._wire.reset_stream(stream, code)
        except NoSuchStreamError:
            return  # gone already
        except H2Error as error:
            raise EngineClosed(str(error)) from error

    def _give_back(self, last: int) -> None:
        for stream in [stream for stream in self._unsent if stream > last]:
            del self._unsent[stream]
            self._listener.closed(stream, REFUSED_STREAM, True)

    def _feed_all(self) -> None:
        for stream, rest in list(self._unsent.items()):
            if rest:
                self._feed(stream)

    def _feed(self, stream: int) -> None:
        """Send as much of a body as the peer's windows allow."""
        rest = self._unsent[stream]
        while rest:
            room = min(self._wire.local_flow_control_window(stream), self._wire.max_outbound_frame_size)
            if room <= 0:
                break
            self._wire.send_data(stream, bytes(rest[:room]), end_stream=room >= len(rest))
            rest = rest[room:]
        self._unsent[stream] = rest
