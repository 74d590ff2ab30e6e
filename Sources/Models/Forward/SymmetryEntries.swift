// Forward entries of the class-pose networks and the classifiers of rotated digits.
// SPDX-License-Identifier: Apache-2.0
import Core

private let picturesShape = "[B, 1, 28, 28] in [0, 1]"

extension ForwardRequest {
    fileprivate func pictures(_ name: String = "x") throws -> Tensor {
        let side = SteerableEncoder.side
        return try floats(name, shape: [-1, 1, side, side], picturesShape)
    }
}

/// `ssl-sym.encode`: invariant embedding and pose.
struct ClassPoseEncodeEntry: ForwardEntry {
    let name = "ssl-sym.encode"
    let summary = "picture to invariant embedding, pose vector and pose in degrees"
    let weights = "a class-pose autoencoder (ssl-sym or IE-AE)"
    let needsTokenizer = false
    let endsInLoss = false
    let inputs = [ForwardTensor("x", picturesShape)]
    let outputs = [
        ForwardTensor("emb", "[B, E]"), ForwardTensor("v", "[B, 2]"),
        ForwardTensor("degrees", "[B]"),
        ForwardTensor("block.K", "[B, 4h, S, S], maps behind the six hidden layers"),
    ]
    let options = [ForwardOption("maps", "false", "whether block.1 … block.6 are written too")]

    func run(_ request: ForwardRequest) throws -> [(name: String, tensor: Tensor)] {
        let network = try InvariantEquivariantAutoencoder(archive: request.weights)
        let x = try request.pictures()
        let (embedding, vector) = network.encoder(x)
        let degrees = InvariantEquivariantAutoencoder.degrees(vector).map(Float.init)
        let maps =
            try request.flag("maps", default: false) ? network.encoder.maps(x) : []
        return [
            ("emb", embedding), ("v", vector),
            ("degrees", Tensor(degrees, shape: [degrees.count])),
        ] + maps.enumerated().map { ("block.\($0 + 1)", $1) }
    }
}

/// `ssl-sym.decode`: embedding to canonical picture.
struct ClassPoseDecodeEntry: ForwardEntry {
    let name = "ssl-sym.decode"
    let summary = "embedding to the canonical picture of its class; with v also turned by it"
    let weights = "a class-pose autoencoder (ssl-sym or IE-AE)"
    let needsTokenizer = false
    let endsInLoss = false
    let inputs = [
        ForwardTensor("emb", "[B, E]"), ForwardTensor("v", "[B, 2]", isOptional: true),
    ]
    let outputs = [
        ForwardTensor("canonical", picturesShape), ForwardTensor("recon", picturesShape),
    ]
    let options: [ForwardOption] = []

    func run(_ request: ForwardRequest) throws -> [(name: String, tensor: Tensor)] {
        let network = try InvariantEquivariantAutoencoder(archive: request.weights)
        let width = network.configuration.encoder.embeddingWidth
        let embedding = try request.floats("emb", shape: [-1, width], "[B, \(width)]")
        let canonical = network.decoder(embedding)
        guard request.input["v"] != nil else { return [("canonical", canonical)] }
        let count = embedding.shape[0]
        let v = try request.floats("v", shape: [count, 2], "[\(count), 2]")
        let direction = InvariantEquivariantAutoencoder.direction(v)
        return [("canonical", canonical), ("recon", rotated(canonical, by: direction))]
    }
}

/// `ssl-sym.loss`: reconstruction and constraint.
struct ClassPoseLossEntry: ForwardEntry {
    let name = "ssl-sym.loss"
    let summary = "reconstruction and group loss of pictures, by running statistics"
    let weights = "a class-pose autoencoder (ssl-sym or IE-AE)"
    let needsTokenizer = false
    let endsInLoss = true
    let inputs = [ForwardTensor("x", picturesShape)]
    let outputs = [
        ForwardTensor("loss", "[1]"), ForwardTensor("recon_loss", "[1]"),
        ForwardTensor("group_loss", "[1]"), ForwardTensor("recon", picturesShape),
        ForwardTensor("oriented", "the pictures turned back by their poses"),
    ]
    let options = [ForwardOption("group", "0.06", "weight λ of the group loss")]

    func run(_ request: ForwardRequest) throws -> [(name: String, tensor: Tensor)] {
        let network = try InvariantEquivariantAutoencoder(archive: request.weights)
        let x = try request.pictures()
        let weight = Float(try request.number("group", default: 0.06, in: 0...1000))
        let trained = network.parameters.filter {
            !network.momentNames.contains($0.name) && !$0.name.hasPrefix("theta_function.")
        }
        if request.wantsGradients { trained.forEach { $0.isTrainable = true } }
        let output = network(x)
        let losses = InvariantEquivariantAutoencoder.losses(output, images: x)
        let loss = losses.reconstruction + losses.group * weight
        return [
            ("loss", loss.detached().reshaped([1])),
            ("recon_loss", losses.reconstruction.detached().reshaped([1])),
            ("group_loss", losses.group.detached().reshaped([1])),
            ("recon", output.reconstruction.detached()),
            ("oriented", network.standardized(x).detached()),
        ] + (request.wantsGradients ? gradientOutputs(of: loss, trained) : [])
    }
}

/// `ssl-sym.level`: Θ.
struct SymmetryLevelEntry: ForwardEntry {
    let name = "ssl-sym.level"
    let summary = "picture to its symmetry level, group order or centre (Θ)"
    let weights = "a checkpoint with theta_function"
    let needsTokenizer = false
    let endsInLoss = false
    let inputs = [ForwardTensor("x", picturesShape)]
    let outputs = [ForwardTensor("theta", "[B, 1] degrees, [B, 8] logits or [B, 2] direction")]
    let options: [ForwardOption] = []

    func run(_ request: ForwardRequest) throws -> [(name: String, tensor: Tensor)] {
        let network = try InvariantEquivariantAutoencoder(archive: request.weights)
        guard let theta = network.theta else {
            throw ForwardError.wrongInput(
                name: "theta_function.*", file: request.weights.path, found: "missing",
                expected: "the tensors of a level network")
        }
        return [("theta", theta(try request.pictures()))]
    }
}

/// `symmetry.rotate`: the one rotation that everything here uses.
struct RotateEntry: ForwardEntry {
    let name = "symmetry.rotate"
    let summary = "square pictures turned counter-clockwise, bilinear, zeros outside"
    let weights = "any file; nothing is read from it"
    let needsTokenizer = false
    let endsInLoss = false
    let inputs = [ForwardTensor("x", "[B, C, S, S]"), ForwardTensor("degrees", "[B]")]
    let outputs = [ForwardTensor("y", "[B, C, S, S]")]
    let options: [ForwardOption] = []

    func run(_ request: ForwardRequest) throws -> [(name: String, tensor: Tensor)] {
        let x = try request.floats("x", shape: [-1, -1, -1, -1], "[B, C, S, S]")
        guard x.shape[2] == x.shape[3] else {
            throw ForwardError.wrongInput(
                name: "x", file: request.input.path, found: "\(x.shape)", expected: "[B, C, S, S]")
        }
        let degrees = try request.floats("degrees", shape: [x.shape[0]], "[B]").floats()
        return [("y", rotated(x, degrees: degrees))]
    }
}

/// `rotated-digits.logits`: the p4 networks, with their attention maps.
struct RotatedDigitLogitsEntry: ForwardEntry {
    let name = "rotated-digits.logits"
    let summary =
        "normalised, transposed digits to class scores; attention maps where there are any"
    let weights = "a Z2, p4, αF or α network of attentive group convolutions"
    let needsTokenizer = false
    let endsInLoss = false
    let inputs = [
        ForwardTensor("x", "[B, 1, 28, 28], rows and columns exchanged, (x − 0.13177)/0.29148")
    ]
    let outputs = [
        ForwardTensor("logits", "[B, 10]"),
        ForwardTensor("channel.K", "channel attention of layer K"),
        ForwardTensor("spatial.K", "spatial attention of layer K"),
    ]
    let options = [ForwardOption("maps", "false", "whether the attention maps are written too")]

    func run(_ request: ForwardRequest) throws -> [(name: String, tensor: Tensor)] {
        let network = try RotatedDigitNetwork(archive: request.weights)
        let side = SteerableEncoder.side
        let x = try request.floats("x", shape: [-1, 1, side, side], "[B, 1, 28, 28]")
        var maps: [(name: String, tensor: Tensor)] = []
        let wanted = try request.flag("maps", default: false)
        let logits = network.logits(
            x,
            observe: wanted
                ? { layer, found in
                    maps.append(("channel.\(layer + 1)", found.channel))
                    maps.append(("spatial.\(layer + 1)", found.spatial))
                } : nil)
        return [("logits", logits)] + maps
    }
}
