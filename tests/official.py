"""Networks built by PyTorchVideo's own code, and the namings of PySlowFast and Caffe2, written down independently.

`layers` lists the layers of a format from the layout of the network, block by block, beside PyTorchVideo's names.
"""

import warnings

import torch
import torch.nn.functional as F

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # fvcore, which it imports, uses interfaces that have been renamed
    from pytorchvideo.models.resnet import create_resnet, create_resnet_with_roi_head
    from pytorchvideo.models.slowfast import create_slowfast, create_slowfast_with_roi_head

DEPTHS = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3)}
NORM = ("weight", "bias", "running_mean", "running_var")
CAFFE2 = {"weight": "s", "bias": "b", "running_mean": "rm", "running_var": "riv"}


def trained(network, clip):
    """Random weights, and batch norms as of a trained network: moments near those of a clip, every parameter its own.

    So the answers depend on the clip, and on every tensor. clip: what the first block takes, of any size.
    """
    generator = torch.Generator().manual_seed(0)
    norms = [module for module in network.modules() if isinstance(module, torch.nn.BatchNorm3d)]
    for norm in norms:
        norm.weight.data.uniform_(0.5, 1.5, generator=generator)
        norm.bias.data.normal_(0, 0.2, generator=generator)
        norm.momentum = 1.0  # the moments of the last batch alone
    with torch.no_grad():
        for block in getattr(network, "model", network).blocks[:5]:
            clip = block(clip)
    for norm in norms:
        norm.running_mean *= 1 + 0.1 * torch.randn(norm.num_features, generator=generator)
        norm.running_var *= 1 + 0.3 * torch.rand(norm.num_features, generator=generator)
    for module in network.modules():
        if isinstance(module, torch.nn.Linear):
            module.weight.data.normal_(0, 0.1, generator=generator)
            module.bias.data.normal_(0, 0.5, generator=generator)
    return network.eval()


def clips(frames, count=2, size=224):
    """(count, 3, frames, size, size): large moving shapes, so that the answers differ by clip and by frame."""
    return 2 * F.interpolate(torch.randn(count, 3, frames, 7, 7), (frames, size, size), mode="trilinear")


def slow(depth=50, frames=8, **options):
    options = {"stem_conv_kernel_size": (1, 7, 7), "head_pool_kernel_size": (frames, 7, 7)} | options
    return trained(create_resnet(model_depth=depth, **options), clips(4, size=96))


def slowfast(depth=50, frames=8, alpha=4, kernel=7, **options):
    options = {"head_pool_kernel_sizes": ((frames, 7, 7), (frames * alpha, 7, 7))} | options
    lateral = {
        "slowfast_fusion_conv_kernel_size": (kernel, 1, 1),
        "slowfast_fusion_conv_stride": (alpha, 1, 1),
    }
    network = create_slowfast(model_depth=depth, **lateral, **options)
    return trained(network, packed(clips(16, size=96), alpha))


def slow_detection(**options):
    """Slow 4×16 with a head for boxes, which answers with probabilities."""
    return trained(create_resnet_with_roi_head(**options), clips(4, size=96))


def slowfast_detection(**options):
    """SlowFast 8×8 with a head for boxes, which answers with probabilities."""
    return trained(create_slowfast_with_roi_head(**options), packed(clips(16, size=96), 4))


def layers(depth, fast):
    """(PyTorchVideo's, PySlowFast's, Caffe2's) names of every layer, each as (convolution, norm)."""
    for pathway in range(2 if fast else 1):
        inside, t = f"multipathway_blocks.{pathway}." if fast else "", "t_" if pathway else ""
        stem = f"s1.pathway{pathway}_stem"
        yield (
            (f"blocks.0.{inside}conv", f"blocks.0.{inside}norm"),
            (f"{stem}.conv", f"{stem}.bn"),
            (f"{t}conv1", f"{t}res_conv1_bn"),
        )
        for stage, count in enumerate(DEPTHS[depth], 1):
            for i in range(count):
                video = f"blocks.{stage}.{inside}res_blocks.{i}"
                slowfast_, caffe2 = f"s{stage + 1}.pathway{pathway}_res{i}", f"{t}res{stage + 1}_{i}"
                if i == 0:
                    yield (
                        (f"{video}.branch1_conv", f"{video}.branch1_norm"),
                        (f"{slowfast_}.branch1", f"{slowfast_}.branch1_bn"),
                        (f"{caffe2}_branch1", f"{caffe2}_branch1_bn"),
                    )
                for x in "abc":
                    yield (
                        (f"{video}.branch2.conv_{x}", f"{video}.branch2.norm_{x}"),
                        (f"{slowfast_}.branch2.{x}", f"{slowfast_}.branch2.{x}_bn"),
                        (f"{caffe2}_branch2{x}", f"{caffe2}_branch2{x}_bn"),
                    )
    for stage in range(4 if fast else 0):
        last = f"res{stage + 1}_{DEPTHS[depth][stage - 1] - 1}_branch2c_bn" if stage else "pool1"
        video = f"blocks.{stage}.multipathway_fusion"
        yield (
            (f"{video}.conv_fast_to_slow", f"{video}.norm"),
            (f"s{stage + 1}_fuse.conv_f2s", f"s{stage + 1}_fuse.bn"),
            (f"t_{last}_subsample", f"t_{last}_subsample_bn"),
        )


def named(network, depth, fast):
    """The weights of a PyTorchVideo network under the names of (PySlowFast, Caffe2), counters of batches included."""
    state = {name.removeprefix("model."): value for name, value in network.state_dict().items()}
    pyslowfast, caffe2 = {}, {}
    for (conv, norm), (conv_s, norm_s), (conv_c, norm_c) in layers(depth, fast):
        pyslowfast[f"{conv_s}.weight"] = caffe2[f"{conv_c}_w"] = state.pop(f"{conv}.weight")
        for tensor in NORM:
            value = state.pop(f"{norm}.{tensor}")
            pyslowfast[f"{norm_s}.{tensor}"] = caffe2[f"{norm_c}_{CAFFE2[tensor]}"] = value
        pyslowfast[f"{norm_s}.num_batches_tracked"] = state.pop(f"{norm}.num_batches_tracked")
    weight, bias = sorted(state, reverse=True)  # what is left is the classifier
    assert weight.endswith(".proj.weight") and bias.endswith(".proj.bias") and len(state) == 2
    pyslowfast["head.projection.weight"] = caffe2["pred_w"] = state[weight]
    pyslowfast["head.projection.bias"] = caffe2["pred_b"] = state[bias]
    return pyslowfast, {name: value.numpy() for name, value in caffe2.items()}


def packed(clip, alpha):
    """[Slow, Fast] as the official code packs them."""
    frames = clip.shape[2]
    return [clip[:, :, torch.linspace(0, frames - 1, frames // alpha).long()], clip]
