// A whole pass as one launch: capture and replay. SPDX-License-Identifier: Apache-2.0
import CCUDA

/// Work recorded once and launched again with the same addresses and shapes.
///
/// What the pass makes lies in memory of the graph's own; what it reads from outside is kept alive.
/// To run it on other values, write them into the tensors it reads with `Device.copy(_:into:)`; the
/// results are in the tensors that the body returned, until the next replay.
public final class CUDAGraph: @unchecked Sendable {
    private let device: CUDADevice
    private let executable: UnsafeMutableRawPointer
    private let capture: CUDACapture

    private init(
        device: CUDADevice, executable: UnsafeMutableRawPointer, capture: CUDACapture
    ) {
        self.device = device
        self.executable = executable
        self.capture = capture
    }

    /// Records what `body` gives to the device, without running it.
    ///
    /// Run the same work once before: kernels are compiled and products planned by then. Values must
    /// not be read back inside; uploads inside become constants.
    /// - Returns: the graph, and what the body returned: tensors to be filled by ``replay()``.
    /// - Throws: ``CUDAError``; what the body throws.
    public static func capture<R>(
        on device: CUDADevice, _ body: () throws -> R
    ) throws -> (graph: CUDAGraph, result: R) {
        // Other threads' work must not become part of the graph.
        device.lock.lock()
        defer { device.lock.unlock() }
        try device.throwPendingError()
        let capture = CUDACapture()
        device.perform { () throws(CUDAError) in
            try CUDAError.check(ccuda_capture_begin(device.stream), "begin a graph")
        }
        try device.throwPendingError()
        device.capture = capture
        device.memory.capturing = capture.pool
        let result = Result { try withDevice(device, body) }
        device.capture = nil
        device.memory.capturing = nil
        // Ended in any case, or the stream would stay unusable.
        var graph: UnsafeMutableRawPointer?
        let status = ccuda_capture_end(device.stream, &graph)
        defer { if let graph { _ = ccuda_graph_destroy(graph) } }
        do {
            try device.throwPendingError()
            let value = try result.get()
            try CUDAError.check(status, "end a graph")
            var executable: UnsafeMutableRawPointer?
            try CUDAError.check(
                ccuda_graph_instantiate(graph, &executable), "make a graph executable")
            guard let executable else {
                throw CUDAError.failed(
                    operation: "make a graph executable", reason: "the driver gave none")
            }
            return (CUDAGraph(device: device, executable: executable, capture: capture), value)
        } catch {
            device.memory.release(capture.pool)
            capture.freeHostMemory()
            throw error
        }
    }

    /// Gives the recorded work to the stream.
    public func replay() {
        device.perform { () throws(CUDAError) in
            try device.timed("graph") { () throws(CUDAError) in
                try CUDAError.check(
                    ccuda_graph_launch(executable, device.stream), "replay a graph")
            }
        }
    }

    deinit {
        device.lock.withLock {
            // A replay may still be running in this memory.
            _ = ccuda_stream_wait(device.stream)
            _ = ccuda_graph_executable_destroy(executable)
            device.memory.release(capture.pool)
            capture.freeHostMemory()
        }
    }
}
