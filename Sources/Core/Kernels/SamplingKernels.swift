// What sampling asks of a device, so that tokens need not leave it.
// SPDX-License-Identifier: Apache-2.0

/// The tensors that a sampler's draws fill, in place: one entry a row of logits.
public struct DrawTarget: Sendable {
    /// int32 [R].
    public var codes: Tensor
    /// The filtered probability of the code drawn, float32 [R].
    public var confidence: Tensor
    /// int32 [1]: the first call whose logits were not finite; 0 for none.
    public var failure: Tensor

    public init(codes: Tensor, confidence: Tensor, failure: Tensor) {
        self.codes = codes
        self.confidence = confidence
        self.failure = failure
    }
}

/// What is known of every row of unfiltered logits, in place.
public struct SummaryTarget: Sendable {
    /// In bits, float32 [R].
    public var entropy: Tensor
    /// The likeliest codes, int32 [R, n], and their probabilities, float32 [R, n].
    public var codes: Tensor
    public var probabilities: Tensor

    public init(entropy: Tensor, codes: Tensor, probabilities: Tensor) {
        self.entropy = entropy
        self.codes = codes
        self.probabilities = probabilities
    }
}

/// How codes become a map.
public struct CodeMap: Sendable {
    /// [V, Z].
    public var codebook: Tensor
    /// Of the convolution of 3 × 3 taps with zeros around, [Z, Z, 3, 3] and [Z].
    public var weight: Tensor
    public var bias: Tensor
    /// How a grid of codes is brought to the size of the map.
    public var method: ResizeMethod

    public init(codebook: Tensor, weight: Tensor, bias: Tensor, method: ResizeMethod) {
        self.codebook = codebook
        self.weight = weight
        self.bias = bias
        self.method = method
    }
}

/// Kernels of samplers. The methods here run on the host; a device may do better.
public protocol SamplingKernels {
    /// Draws a code for every row of logits [R, V] after top-k (0 = all) and top-p (0 = all).
    ///
    /// - Parameters:
    ///   - uniforms: numbers in [0, 1) as the bits of a Double, int64 [R].
    ///   - chosen: rows with 0 keep their code and confidence; all are drawn when nil. float32 [R].
    ///   - call: noted in the target's `failure` when a logit is not finite; above 0.
    func drawCodes(
        _ logits: Tensor, uniforms: Tensor, chosen: Tensor?, topK: Int, topP: Double, call: Int,
        into target: DrawTarget)
    /// Summarizes the first rows of logits, as many as the target has, where `chosen` is not 0.
    func summarizeRows(_ logits: Tensor, chosen: Tensor?, into target: SummaryTarget)
    /// Both, at once where the device can.
    func drawCodes(
        _ logits: Tensor, uniforms: Tensor, chosen: Tensor?, topK: Int, topP: Double, call: Int,
        into target: DrawTarget, summary: SummaryTarget)
    /// (1 + t)·a − t·b over the halves a and b of 2N values.
    func guided(_ logits: Tensor, by t: Double) -> Tensor
    /// ½(h + convolution(h)) of the map h of some codes' vectors, resized.
    ///
    /// - Parameters:
    ///   - tokens: int32 [B, side²].
    ///   - map: [B, Z, P, P], written or, with `adds`, added to.
    /// - Returns: false where a device has no kernel for it and did nothing.
    func convolvedCodes(_ tokens: Tensor, _ codes: CodeMap, into map: Tensor, adds: Bool) -> Bool
    /// Per picture, brings those `number` of the first `length` positions to the front that have the
    /// lowest confidence, in the order of a stable ascending sort, and flags them alone.
    ///
    /// - Parameters:
    ///   - confidence: float32 [B, n].
    ///   - positions: int32 [B, n].
    ///   - length: nil for all positions in their own order, whatever `positions` holds.
    ///   - flags: float32 [B, n] or [B, n, 1].
    func maskLeastConfident(
        _ confidence: Tensor, positions: Tensor, length: Int?, number: Int, flags: Tensor)
    /// Pictures [B, 3, H, W] in [−1, 1] as bytes [B, H, W, 3], rounded to nearest.
    func pixels(_ images: Tensor) -> [UInt8]
    /// Begins to bring a contiguous tensor to the host, in the order of the device's work; work given to
    /// it later goes on meanwhile. The result waits for the bytes, and is to be called once.
    func reading(_ tensor: Tensor) -> () -> [UInt8]
    /// Bytes into a contiguous tensor that exists, in the order of the device's work.
    func write(_ bytes: UnsafeRawBufferPointer, into tensor: Tensor)
}

extension SamplingKernels where Self: Device {
    public func drawCodes(
        _ logits: Tensor, uniforms: Tensor, chosen: Tensor?, topK: Int, topP: Double, call: Int,
        into target: DrawTarget
    ) {
        var values = logits.floats()
        let width = logits.shape[1]
        let numbers: [UInt64] = read(uniforms, like: 0)
        let flags = chosen?.contiguous().floats()
        var codes = target.codes.int32s()
        var confidence = target.confidence.floats()
        var failure = target.failure.int32s()
        values.withUnsafeMutableBufferPointer { all in
            for row in codes.indices where flags.map({ $0[row] != 0 }) ?? true {
                let part = UnsafeMutableBufferPointer(
                    rebasing: all[(row * width)..<((row + 1) * width)])
                guard part.allSatisfy(\.isFinite) else {
                    if failure[0] == 0 { failure[0] = Int32(call) }
                    (codes[row], confidence[row]) = (0, 0)
                    continue
                }
                CategoricalSampling.keepLargest(topK, of: part)
                CategoricalSampling.keepNucleus(topP, of: part)
                let code = CategoricalSampling.draw(
                    UnsafeBufferPointer(part), uniform: Double(bitPattern: numbers[row]))
                codes[row] = Int32(code)
                confidence[row] = CategoricalSampling.probability(
                    of: code, UnsafeBufferPointer(part))
            }
        }
        write(codes, into: target.codes)
        write(confidence, into: target.confidence)
        write(failure, into: target.failure)
    }

    public func summarizeRows(_ logits: Tensor, chosen: Tensor?, into target: SummaryTarget) {
        let values = logits.floats()
        let width = logits.shape[1]
        let (rows, count) = (target.entropy.count, target.codes.shape[1])
        let flags = chosen?.contiguous().floats()
        var entropy = target.entropy.floats()
        var codes = target.codes.int32s()
        var probabilities = target.probabilities.floats()
        values.withUnsafeBufferPointer { all in
            for row in 0..<rows where flags.map({ $0[row] != 0 }) ?? true {
                let part = UnsafeBufferPointer(
                    rebasing: all[(row * width)..<((row + 1) * width)])
                let summary = CategoricalSampling.summary(part, count: count)
                entropy[row] = summary.entropy
                for (i, entry) in summary.likeliest.enumerated() {
                    codes[row * count + i] = Int32(entry.code)
                    probabilities[row * count + i] = entry.probability
                }
            }
        }
        write(entropy, into: target.entropy)
        write(codes, into: target.codes)
        write(probabilities, into: target.probabilities)
    }

    public func drawCodes(
        _ logits: Tensor, uniforms: Tensor, chosen: Tensor?, topK: Int, topP: Double, call: Int,
        into target: DrawTarget, summary: SummaryTarget
    ) {
        drawCodes(
            logits, uniforms: uniforms, chosen: chosen, topK: topK, topP: topP, call: call,
            into: target)
        summarizeRows(logits, chosen: chosen, into: summary)
    }

    public func guided(_ logits: Tensor, by t: Double) -> Tensor {
        let half = logits.shape[0] / 2
        let a = logits.narrowed(axis: 0, start: 0, length: half)
        let b = logits.narrowed(axis: 0, start: half, length: half)
        return a * Float(1 + t) - b * Float(t)
    }

    public func convolvedCodes(
        _ tokens: Tensor, _ codes: CodeMap, into map: Tensor, adds: Bool
    ) -> Bool { false }

    public func maskLeastConfident(
        _ confidence: Tensor, positions: Tensor, length: Int?, number: Int, flags: Tensor
    ) {
        let (batch, count) = (confidence.shape[0], confidence.shape[1])
        let values = confidence.floats()
        var places = positions.int32s()
        var marks = [Float](repeating: 0, count: batch * count)
        for picture in 0..<batch {
            let start = picture * count
            let list = (0..<(length ?? count)).map { length == nil ? $0 : Int(places[start + $0]) }
            let order = list.indices.sorted { a, b in
                let (x, y) = (values[start + list[a]], values[start + list[b]])
                return x != y ? x < y : a < b
            }
            for (i, place) in order.prefix(number).enumerated() {
                places[start + i] = Int32(list[place])
                marks[start + list[place]] = 1
            }
        }
        write(places, into: positions)
        write(marks, into: flags)
    }

    public func pixels(_ images: Tensor) -> [UInt8] {
        let values = images.floats()
        let plane = images.shape[2] * images.shape[3]
        var pixels = [UInt8](repeating: 0, count: images.shape[0] * 3 * plane)
        for index in 0..<images.shape[0] {
            for i in 0..<plane {
                for channel in 0..<3 {
                    let x = values[(index * 3 + channel) * plane + i]
                    let level = ((x + 1) * 127.5).rounded()
                    pixels[3 * (index * plane + i) + channel] =
                        level > 0 ? UInt8(Swift.min(255, level)) : 0
                }
            }
        }
        return pixels
    }

    public func reading(_ tensor: Tensor) -> () -> [UInt8] {
        var values = [UInt8](repeating: 0, count: tensor.count * tensor.dtype.byteCount)
        values.withUnsafeMutableBytes { download(tensor, into: $0) }
        return { [values] in values }
    }

    public func write(_ bytes: UnsafeRawBufferPointer, into tensor: Tensor) {
        precondition(tensor.isContiguous, "write: a strided tensor")
        guard tensor.offset > 0 else { return upload(bytes, to: tensor.storage) }
        let whole = Tensor.empty(tensor.shape, dtype: tensor.dtype, device: self)
        upload(bytes, to: whole.storage)
        copy(whole, into: tensor)
    }

    /// Numbers into a contiguous tensor that exists.
    public func write<Number: BitwiseCopyable>(_ numbers: [Number], into tensor: Tensor) {
        numbers.withUnsafeBytes { write($0, into: tensor) }
    }

    private func read<Number: BitwiseCopyable>(_ tensor: Tensor, like zero: Number) -> [Number] {
        var values = [Number](repeating: zero, count: tensor.count)
        values.withUnsafeMutableBytes { download(tensor.contiguous(), into: $0) }
        return values
    }
}
