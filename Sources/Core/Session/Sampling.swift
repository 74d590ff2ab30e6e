// Requests, reports and results of sampling and editing. SPDX-License-Identifier: Apache-2.0

/// Which network and which passes produce the tokens.
public enum SamplingVariant: String, Sendable, CaseIterable, Codable {
    /// HMAR with its masked refinement steps.
    case hmar
    /// HMAR's next-scale tower alone.
    case hmarNextScale = "hmar-next-scale"
    /// The VAR baseline with its key/value cache.
    case `var` = "var"
}

/// Exact mode follows the published sampler literally; fast mode skips what cannot matter.
///
/// They differ only by O(1e-6 · cfg) in the logits of mask steps.
public enum ComputeMode: String, Sendable, CaseIterable, Codable {
    case exact
    case fast
}

/// Everything that determines a sample.
public struct SamplingRequest: Sendable, Equatable, Codable {
    public var variant: SamplingVariant
    /// Label 0…N_c−1, or nil for "no class".
    public var classLabel: Int?
    /// Pictures in the batch, 1…64.
    public var count: Int
    public var seed: UInt64
    /// Guidance scale; grows linearly over the scales from 0 to this value.
    public var cfg: Double
    /// Keep the k most likely codes; 0 = all.
    public var topK: Int
    /// Keep the smallest set of codes with this probability; 0 = all.
    public var topP: Double
    public var schedule: SamplingSchedule
    public var mode: ComputeMode
    /// Coarse scales that are taken over instead of drawn; the schedule's rows of these are the ones
    /// that made them, so that the seed's numbers go on where they would have. Nil draws all.
    public var start: SamplingStart?

    public init(
        variant: SamplingVariant = .hmar, classLabel: Int? = nil, count: Int = 1, seed: UInt64 = 0,
        cfg: Double = 1.5, topK: Int = 0, topP: Double = 0, schedule: SamplingSchedule,
        mode: ComputeMode = .fast, start: SamplingStart? = nil
    ) {
        self.variant = variant
        self.classLabel = classLabel
        self.count = count
        self.seed = seed
        self.cfg = cfg
        self.topK = topK
        self.topP = topP
        self.schedule = schedule
        self.mode = mode
        self.start = start
    }
}

/// The state of one token map after a pass, for the first picture of the batch.
public struct TokenGrid: Sendable, Equatable {
    public var scale: Int
    /// p_k.
    public var side: Int
    /// Codes, row-major, p_k² entries.
    public var tokens: [Int32]
    /// Probability of the chosen code under the filtered distribution, 0…1.
    public var confidence: [Float]
    /// Entropy of the unfiltered guided distribution in bits.
    public var entropy: [Float]
    /// How each token came to be.
    public var origin: [TokenOrigin]
    /// The ten likeliest codes of every cell with their probabilities, likeliest first.
    public var candidates: [[TokenCandidate]]

    public init(
        scale: Int, side: Int, tokens: [Int32], confidence: [Float], entropy: [Float],
        origin: [TokenOrigin], candidates: [[TokenCandidate]]
    ) {
        self.scale = scale
        self.side = side
        self.tokens = tokens
        self.confidence = confidence
        self.entropy = entropy
        self.origin = origin
        self.candidates = candidates
    }
}

/// How a token came to be.
public enum TokenOrigin: Sendable, Equatable {
    /// Copied from the source picture of an edit.
    case source
    /// Kept from the next-scale pass.
    case nextScale
    /// Fixed by mask step j, counted from 1.
    case maskStep(Int)
    /// Still masked: to be fixed by a later step.
    case pending
}

/// One code and its probability.
public struct TokenCandidate: Sendable, Equatable {
    public var code: Int32
    public var probability: Float

    public init(code: Int32, probability: Float) {
        self.code = code
        self.probability = probability
    }
}

/// What happened in one pass.
public struct PassReport: Sendable {
    /// Passes done, counting this one.
    public var pass: Int
    /// Passes planned in all, by the schedule in force now.
    public var passCount: Int
    public var scale: Int
    public var scaleCount: Int
    /// 0 = next-scale pass, j = mask step j.
    public var step: Int
    /// Whether this pass completed its scale.
    public var completesScale: Bool
    /// Wall time of the pass without its preview, in seconds.
    public var seconds: Double
    /// Pictures decoded from the true state after this pass; empty when none were wanted.
    public var previews: [RGBImage]
    /// The first picture's tokens at this scale.
    public var grid: TokenGrid

    public init(
        pass: Int, passCount: Int, scale: Int, scaleCount: Int, step: Int, completesScale: Bool,
        seconds: Double, previews: [RGBImage], grid: TokenGrid
    ) {
        self.pass = pass
        self.passCount = passCount
        self.scale = scale
        self.scaleCount = scaleCount
        self.step = step
        self.completesScale = completesScale
        self.seconds = seconds
        self.previews = previews
        self.grid = grid
    }
}

/// What a finished sample holds.
public struct SamplingResult: Sendable {
    public var images: [RGBImage]
    public var tokens: [TokenMaps]
    /// The schedule that was really run, live changes included.
    public var schedule: SamplingSchedule
    /// Tower calls made.
    public var passCount: Int
    /// Wall seconds spent in each scale, previews not counted.
    public var secondsPerScale: [Double]
    /// Wall seconds of the final decode.
    public var decodeSeconds: Double
    /// Bytes of key/value cache at its largest; 0 for HMAR.
    public var cacheBytes: Int
    /// The last grid of every scale, first picture.
    public var grids: [TokenGrid]

    public init(
        images: [RGBImage], tokens: [TokenMaps], schedule: SamplingSchedule, passCount: Int,
        secondsPerScale: [Double], decodeSeconds: Double, cacheBytes: Int, grids: [TokenGrid]
    ) {
        self.images = images
        self.tokens = tokens
        self.schedule = schedule
        self.passCount = passCount
        self.secondsPerScale = secondsPerScale
        self.decodeSeconds = decodeSeconds
        self.cacheBytes = cacheBytes
        self.grids = grids
    }
}

/// What an edit is to do.
public enum EditMode: String, Sendable, CaseIterable, Codable {
    /// Repaint the masked region with no class.
    case inpaint
    /// Keep the unmasked region, invent its surroundings with no class.
    case outpaint
    /// Repaint the masked region as the request's class.
    case classEdit = "class"
    /// Keep the coarse scales of the whole picture and draw the finer ones anew.
    case vary
    /// Draw those tokens of the whole picture anew that the model is least sure of.
    case repaint

    /// Whether the mask says what is drawn anew.
    public var usesMask: Bool { self != .vary && self != .repaint }
    /// Whether the class of the request counts; the other modes have none.
    public var usesClass: Bool { self == .classEdit || !usesMask }
}

/// What holds the kept region in place.
public enum EditAnchor: String, Sendable, CaseIterable, Codable {
    /// Kept cells keep the source's tokens at every scale.
    case tokens
    /// Kept cells are quantised anew at every scale from what is still missing of the source.
    case residual
}

/// Everything that determines an edit.
public struct EditRequest: Sendable, Equatable {
    /// The source, of the model's size.
    public var source: RGBImage
    /// The mask, of the model's size; ignored by `vary` and `repaint`.
    public var mask: PixelMask
    public var mode: EditMode
    public var anchor: EditAnchor
    /// Scales below this one are kept wholly ("structure kept"); for `vary`, the first scale drawn anew.
    public var keepScales: Int
    /// Cells by which the mask is grown on the token grid of every scale.
    public var dilate: Int
    /// Mask steps per scale; one entry per scale.
    public var maskSteps: [Int]
    /// Composite the source's pixels outside the mask with a feathered edge.
    public var pasteBack: Bool
    /// For `repaint`: the share of every map's tokens that is drawn anew, 0…1.
    public var share: Double
    /// Class, seed, guidance and filters.
    public var sampling: SamplingRequest

    public init(
        source: RGBImage, mask: PixelMask, mode: EditMode = .inpaint, anchor: EditAnchor = .tokens,
        keepScales: Int = 0, dilate: Int = 0, maskSteps: [Int], pasteBack: Bool = false,
        share: Double = 0.25, sampling: SamplingRequest
    ) {
        self.source = source
        self.mask = mask
        self.mode = mode
        self.anchor = anchor
        self.keepScales = keepScales
        self.dilate = dilate
        self.maskSteps = maskSteps
        self.pasteBack = pasteBack
        self.share = share
        self.sampling = sampling
    }
}

/// What a finished edit holds.
public struct EditResult: Sendable {
    public var sampling: SamplingResult
    /// The source encoded and decoded without change, for comparison.
    public var reconstruction: RGBImage
    /// The source's tokens.
    public var sourceTokens: TokenMaps
    /// Which cells could change, per scale, p_k² entries each.
    public var editable: [[Bool]]

    public init(
        sampling: SamplingResult, reconstruction: RGBImage, sourceTokens: TokenMaps,
        editable: [[Bool]]
    ) {
        self.sampling = sampling
        self.reconstruction = reconstruction
        self.sourceTokens = sourceTokens
        self.editable = editable
    }
}
